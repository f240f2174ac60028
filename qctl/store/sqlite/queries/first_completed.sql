-- jobs_completed.
SELECT min(completed_at) FROM jobs WHERE status = 'completed' AND completed_at >= ? AND completed_at < '9999'
