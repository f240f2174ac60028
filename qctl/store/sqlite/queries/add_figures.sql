-- Primary key. What was added up.
INSERT INTO qctl_figures (span, at, type, enqueued, completed, failed, retried, dead, cancelled, revived, wait, run)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
