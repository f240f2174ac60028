-- Primary key: the starts of one bucket that count no more, came to nothing, or are from a clock that ran ahead.
DELETE FROM qctl_starts WHERE scope = ? AND name = ? AND key = ? AND (slot BETWEEN 0 AND ? OR slot > ? OR count = 0)
