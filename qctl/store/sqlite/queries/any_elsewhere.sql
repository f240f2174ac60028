-- jobs_elsewhere, by name: SQLite would walk through jobs_completed to the first without a worker, which may be its end.
SELECT 1 FROM jobs INDEXED BY jobs_elsewhere WHERE status = 'completed' AND worker IS NULL AND completed_at >= '' LIMIT 1
