-- Primary key of the letters, and jobs by id.
SELECT d.rowid, j.number, d.original_job_id, d.type, d.attempts, d.last_error, d.failed_at
FROM dead_letter_jobs d LEFT JOIN jobs j ON j.id = d.original_job_id WHERE d.rowid > ? ORDER BY d.rowid LIMIT ?
