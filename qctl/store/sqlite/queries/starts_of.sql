-- Primary key.
SELECT slot, count FROM qctl_starts WHERE scope = ? AND name = ? AND key = ?
