-- jobs_key_ended: the newest job with a key that was created since; the unfinished one has been looked for before.
SELECT number, id, type, status, scheduled_at FROM jobs
WHERE key = ? AND key IS NOT NULL AND created_at >= ?
ORDER BY created_at DESC LIMIT 1
