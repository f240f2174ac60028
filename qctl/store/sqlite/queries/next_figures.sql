-- Primary key.
SELECT at FROM qctl_figures WHERE span = 60 AND at >= ? ORDER BY at LIMIT 1
