-- Primary key. The job goes back as it was at first; its number, history and output stay. It waits for what it needs.
UPDATE jobs
SET status = CASE WHEN EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0)
      THEN 'blocked' ELSE 'pending' END,
    attempts = 0, rescues = 0, cancel_asked = 0, scheduled_at = ?, updated_at = ?,
    completed_at = NULL, worker = NULL, exit_code = NULL, result = NULL
WHERE number = ? AND status IN ('completed', 'failed', 'cancelled')
