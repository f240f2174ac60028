-- dead_letter_jobs_unreviewed from its end, then the unique index on id.
SELECT jobs.number, jobs.type, dead_letter_jobs.last_error
FROM dead_letter_jobs JOIN jobs ON jobs.id = dead_letter_jobs.original_job_id
WHERE dead_letter_jobs.reviewed = 0
ORDER BY dead_letter_jobs.failed_at DESC LIMIT ?
