-- jobs_claim.
SELECT count(*), (SELECT min(scheduled_at) FROM jobs WHERE status = 'pending' AND scheduled_at <= ?)
FROM jobs WHERE status = 'pending'
