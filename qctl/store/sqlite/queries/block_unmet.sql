-- Primary key, then qctl_needs_unmet. It was let go by the very end that showed what else it waits for.
UPDATE jobs SET status = 'blocked'
WHERE number = ? AND status = 'pending' AND EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0)
