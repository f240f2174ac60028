INSERT OR REPLACE INTO qctl_history (job, token, attempt, worker, started_at, finished_at, outcome, exit_code, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
