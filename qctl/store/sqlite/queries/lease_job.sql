-- Primary key. The claim reads and leases in one transaction, so the job is still pending here.
UPDATE jobs
SET status = 'processing', attempts = attempts + 1, token = token + 1, locked_by = ?, locked_at = ?, started_at = ?,
    updated_at = ?, max_attempts = ?
WHERE number = ?
