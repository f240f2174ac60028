-- Primary key, then qctl_needs_unmet.
UPDATE jobs SET status = 'pending'
WHERE number = ? AND status = 'blocked' AND NOT EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0)
