-- Primary key: what overlaps a window, in one of the three spans.
SELECT at, type, enqueued, completed, failed, retried, dead, cancelled, revived, wait, run
FROM qctl_figures WHERE span = ? AND at > ? AND at < ?
