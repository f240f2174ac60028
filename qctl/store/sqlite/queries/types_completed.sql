-- Which types were completed, though nobody counts how often: as the figures have it, and of what they do not tell of, the
-- newest that others completed (jobs_elsewhere, by name, as SQLite would walk through jobs_completed), and the oldest of all
-- (jobs_completed). A few thousand rows, however many there are.
SELECT type FROM qctl_figures WHERE completed > 0
UNION
SELECT * FROM (
  SELECT type FROM jobs INDEXED BY jobs_elsewhere
  WHERE status = 'completed' AND worker IS NULL AND completed_at >= '' ORDER BY completed_at DESC LIMIT 2000
)
UNION
SELECT * FROM (SELECT type FROM jobs WHERE status = 'completed' AND completed_at < ? ORDER BY completed_at LIMIT 2000)
