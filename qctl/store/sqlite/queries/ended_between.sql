-- Primary key: what ended in the stretches that overlap a window, in one of the three spans, whatever its type.
SELECT at, sum(completed), sum(failed) FROM qctl_figures WHERE span = ? AND at > ? AND at < ? GROUP BY at
