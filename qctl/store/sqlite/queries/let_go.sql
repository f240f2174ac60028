-- Primary key, then qctl_needs_unmet: a job all of whose needs are met.
UPDATE jobs SET status = 'pending', updated_at = ?1, scheduled_at = max(scheduled_at, ?1)
WHERE number = ?2 AND status = 'blocked' AND NOT EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0)
