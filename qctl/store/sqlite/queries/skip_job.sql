-- Primary key, behind the fence: status, token and worker must still be those of the lease.
UPDATE jobs
SET status = 'completed', attempts = ?, completed_at = ?, updated_at = ?, started_at = ?, last_error = ?, result = NULL,
    rescues = 0, cancel_asked = 0, worker = locked_by, locked_by = NULL, locked_at = NULL
WHERE number = ? AND status = 'processing' AND token = ? AND locked_by = ?
