INSERT INTO qctl_workers (id, host, boot, pid, concurrency, started_at, beat_at, lease_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
