-- Primary key, behind the fence: status, token and worker must still be those of the lease.
UPDATE jobs
SET status = ?, attempts = ?, rescues = ?, scheduled_at = coalesce(?, scheduled_at), updated_at = ?, started_at = ?,
    exit_code = ?, last_error = coalesce(?, last_error), cancel_asked = 0, locked_by = NULL, locked_at = NULL
WHERE number = ? AND status = 'processing' AND token = ? AND locked_by IS ?
