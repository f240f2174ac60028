-- jobs_elsewhere, covering: how many jobs other programs completed in a stretch of time, by type.
SELECT type, count(*) FROM jobs INDEXED BY jobs_elsewhere
WHERE status = 'completed' AND worker IS NULL AND completed_at >= ? AND completed_at < ? GROUP BY type
