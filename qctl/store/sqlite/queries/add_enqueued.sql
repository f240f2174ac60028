-- Primary key.
INSERT INTO qctl_figures (span, at, type, enqueued) VALUES (60, ?, ?, ?)
ON CONFLICT DO UPDATE SET enqueued = enqueued + excluded.enqueued
