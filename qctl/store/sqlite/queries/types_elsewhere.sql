-- jobs_elsewhere: what others completed, which the figures do not tell of. Said by name, as jobs_completed fits, too.
SELECT type FROM jobs INDEXED BY jobs_elsewhere WHERE status = 'completed' AND worker IS NULL LIMIT ?
