-- jobs_ended, covering.
SELECT count(*) FROM jobs WHERE status = 'cancelled' AND updated_at >= ? AND updated_at < ?
