-- Primary key, behind the fence: status, token and worker must still be those of the lease.
-- The run's facts stay in the row, which is its history: no second row to write and to purge.
UPDATE jobs
SET status = 'completed', completed_at = ?, updated_at = ?, started_at = ?, exit_code = ?, result = ?,
    rescues = 0, cancel_asked = 0, worker = locked_by, locked_by = NULL, locked_at = NULL
WHERE number = ? AND status = 'processing' AND token = ? AND locked_by = ?
