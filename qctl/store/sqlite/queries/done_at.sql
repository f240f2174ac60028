-- Primary key.
SELECT processed_at FROM processed_jobs WHERE job_id = ?
