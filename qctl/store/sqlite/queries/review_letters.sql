-- dead_letter_jobs_job.
UPDATE dead_letter_jobs SET reviewed = 1 WHERE original_job_id = ? AND reviewed = 0
