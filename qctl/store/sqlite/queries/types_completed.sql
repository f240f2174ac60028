-- Which types were completed, though nobody counts how often: as the figures have it, and what they do not tell of, in
-- jobs_elsewhere what others completed, and in jobs_completed what is older than any figures. Both covering.
SELECT type FROM qctl_figures WHERE completed > 0
UNION
SELECT type FROM jobs WHERE status = 'completed' AND worker IS NULL
UNION
SELECT type FROM jobs WHERE status = 'completed' AND completed_at < ?
