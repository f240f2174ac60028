-- jobs_completed.
SELECT type, count(*) FROM jobs WHERE status = 'completed' AND completed_at >= ? GROUP BY type
