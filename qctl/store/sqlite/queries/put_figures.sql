-- Primary key. The whole of what one source has counted in this minute.
INSERT OR REPLACE INTO qctl_figures
  (span, at, type, source, enqueued, completed, failed, retried, dead, cancelled, revived, wait, run)
VALUES (60, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
