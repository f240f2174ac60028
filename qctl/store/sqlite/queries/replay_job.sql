-- Primary key. The job goes back as it was at first; its number, history and output stay.
UPDATE jobs
SET status = 'pending', attempts = 0, rescues = 0, cancel_asked = 0, scheduled_at = ?, updated_at = ?,
    completed_at = NULL, worker = NULL, exit_code = NULL, result = NULL
WHERE number = ? AND status IN ('completed', 'failed', 'cancelled')
