-- What is due in a lane, oldest first: a range of jobs_claim, in its order.
SELECT scheduled_at, number, id, type, payload, priority, queue, attempts, max_attempts, attempts_set, token, rescues,
       backoff, timeout, command, cwd, env, created_at, expires_at, limit_key
FROM jobs
WHERE status = 'pending' AND priority = ? AND queue = ? AND type = ? AND (command IS NULL) = ? AND scheduled_at <= ?
ORDER BY scheduled_at, number
