-- jobs_ended, then dead_letter_jobs_job.
SELECT count(*) FROM jobs
WHERE status = 'failed' AND updated_at < ?
  AND EXISTS (SELECT 1 FROM dead_letter_jobs d WHERE d.original_job_id = jobs.id AND d.reviewed = 0)
