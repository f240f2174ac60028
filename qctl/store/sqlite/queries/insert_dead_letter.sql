-- Primary key.
INSERT INTO dead_letter_jobs (original_job_id, type, payload, attempts, last_error, failed_at)
SELECT id, type, payload, attempts, last_error, updated_at FROM jobs WHERE number = ?
