-- Primary key, behind the fence. The lease was never begun: the attempt that the claim counted is taken off again.
UPDATE jobs
SET status = CASE WHEN cancel_asked THEN 'cancelled' ELSE 'pending' END,
    last_error = CASE WHEN cancel_asked THEN 'cancelled' ELSE last_error END,
    attempts = max(attempts - 1, 0), cancel_asked = 0, locked_by = NULL, locked_at = NULL, updated_at = ?
WHERE number = ? AND status = 'processing' AND token = ? AND locked_by = ?
