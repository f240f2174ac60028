-- What is due of one key in a lane, from a time on, oldest first: a range of jobs_keyed, in its order.
SELECT scheduled_at, number, id, type, payload, priority, queue, attempts, max_attempts, attempts_set, token, rescues,
       backoff, timeout, command, cwd, env, created_at, expires_at, limit_key
FROM jobs
WHERE status = 'pending' AND limit_key = ? AND priority = ? AND queue = ? AND type = ? AND (command IS NULL) = ?
  AND scheduled_at >= ? AND scheduled_at <= ?
ORDER BY scheduled_at, number
