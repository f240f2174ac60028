-- jobs_completed.
SELECT count(*) FROM jobs WHERE status = 'completed' AND completed_at > ? AND completed_at <= ?
