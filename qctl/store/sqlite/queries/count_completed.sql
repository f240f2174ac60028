-- jobs_completed, covering: by type.
SELECT type, 'completed', count(*) FROM jobs WHERE status = 'completed' GROUP BY type
