-- When the first job of a lane is due: one seek in jobs_claim.
SELECT scheduled_at
FROM jobs
WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND (command IS NULL) = ?
ORDER BY scheduled_at
LIMIT 1
