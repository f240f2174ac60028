-- When the first job of a key in a lane is due: one seek in jobs_keyed.
SELECT scheduled_at
FROM jobs
WHERE status = 'pending' AND limit_key = ? AND priority = ? AND queue = ? AND type = ? AND (command IS NULL) = ?
ORDER BY scheduled_at
LIMIT 1
