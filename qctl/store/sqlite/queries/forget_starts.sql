-- Primary key: the starts of all keys of a limit that count no more; those under slot -1 say until when they do.
DELETE FROM qctl_starts
WHERE scope = ? AND name = ? AND CASE WHEN slot >= 0 THEN slot < ? ELSE count < ? END
