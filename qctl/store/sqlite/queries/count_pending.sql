-- jobs_claim, covering.
SELECT count(*) FROM jobs WHERE status = 'pending'
