-- The unique index jobs_key: the unfinished job with a key. The conditions are those of the index, word for word.
SELECT number, id, type, status, scheduled_at FROM jobs
WHERE key = ? AND key IS NOT NULL AND status <> 'completed' AND status <> 'failed' AND status <> 'cancelled'
