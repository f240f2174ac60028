-- Primary key.
SELECT type, enqueued, completed, failed, retried, dead, cancelled, revived, wait, run
FROM qctl_figures WHERE span = ? AND at >= ? AND at < ?
