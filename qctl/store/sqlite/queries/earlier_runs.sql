-- Primary key, from the latest down: the runs of a job before one of them.
SELECT attempt, outcome FROM qctl_history WHERE job = ? AND token < ? ORDER BY token DESC
