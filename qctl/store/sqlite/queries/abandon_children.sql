-- qctl_needs_needed, then the primary key of jobs.
UPDATE jobs SET status = 'cancelled', key = NULL, flow = NULL, last_error = ?, updated_at = ?
WHERE parent = ? AND status = 'blocked'
  AND number IN (SELECT job FROM qctl_needs WHERE needs = ? AND met = 0 AND kind = 'completed')
