-- jobs_elsewhere, covering: type, seconds waited, seconds run, when it ended (epoch).
SELECT type, (julianday(started_at) - julianday(scheduled_at)) * 86400.0,
       (julianday(completed_at) - julianday(started_at)) * 86400.0,
       (julianday(completed_at) - 2440587.5) * 86400.0
FROM jobs INDEXED BY jobs_elsewhere WHERE status = 'completed' AND worker IS NULL AND completed_at >= ? AND completed_at < ?
ORDER BY completed_at DESC LIMIT ?
