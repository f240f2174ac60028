-- Primary key, then the unique index on jobs.id. A letter that was reviewed may be replayed, as long as its job is dead.
SELECT j.number, j.id, j.type, j.flow FROM dead_letter_jobs d JOIN jobs j ON j.id = d.original_job_id
WHERE d.id = ? AND j.status = 'failed'
