-- Which types were completed, though nobody counts how often: as the figures have it, which are few, and in jobs_completed,
-- covering, what is older than any of them.
SELECT type FROM qctl_figures WHERE completed > 0
UNION ALL
SELECT type FROM (SELECT DISTINCT type FROM jobs WHERE status = 'completed' AND completed_at < ?)
