-- Primary key: rows of a run between two positions.
DELETE FROM qctl_output WHERE job = ? AND token = ? AND position >= ? AND position < ?
