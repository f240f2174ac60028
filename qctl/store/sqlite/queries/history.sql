-- Primary key.
SELECT attempt, worker, started_at, finished_at, outcome, exit_code, error
FROM qctl_history WHERE job = ? ORDER BY token
