-- Primary key. A step that cleaned up before, or had nothing to do, does so after this failure, too.
UPDATE jobs
SET status = 'blocked', attempts = 0, rescues = 0, scheduled_at = ?, updated_at = ?, completed_at = NULL, worker = NULL,
    exit_code = NULL, result = NULL, last_error = NULL
WHERE number = ? AND status = 'completed'
