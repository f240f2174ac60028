-- Attempts that failed, by type; reads the history.
SELECT j.type, count(*) FROM qctl_history h JOIN jobs j ON j.number = h.job
WHERE h.finished_at >= ? AND h.outcome IN ('failed', 'timeout', 'crashed', 'retried', 'dead', 'lost') GROUP BY j.type
