-- qctl_needs_needed, covered: whether anything still waits for a job.
SELECT 1 FROM qctl_needs WHERE needs = ? AND met = 0 LIMIT 1
