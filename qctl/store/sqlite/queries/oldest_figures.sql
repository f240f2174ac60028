-- Primary key.
SELECT min(at) FROM qctl_figures WHERE span = ?
