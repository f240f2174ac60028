-- Primary key.
SELECT position, stream, data FROM qctl_output WHERE job = ? AND token = ? AND position >= ? ORDER BY position
