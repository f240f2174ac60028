-- The key after another among the pending jobs of a lane: one seek in jobs_keyed.
SELECT limit_key FROM jobs
WHERE status = 'pending' AND limit_key > ? AND priority = ? AND queue = ? AND type = ?
ORDER BY limit_key
LIMIT 1
