-- Primary key. Before a completed job runs again, its completion becomes a row of its history.
INSERT OR IGNORE INTO qctl_history (job, token, attempt, worker, started_at, finished_at, outcome, exit_code)
SELECT number, token, attempts, worker, started_at, completed_at, 'completed', exit_code
FROM jobs WHERE number = ? AND status = 'completed'
