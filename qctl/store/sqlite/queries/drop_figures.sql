-- Primary key.
DELETE FROM qctl_figures WHERE span = ? AND at >= ? AND at < ?
