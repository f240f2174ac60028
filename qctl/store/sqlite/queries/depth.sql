-- jobs_claim, covered: how many are pending, and since when the oldest due one waits.
SELECT count(*), min(CASE WHEN scheduled_at <= ? THEN scheduled_at END) FROM jobs WHERE status = 'pending'
