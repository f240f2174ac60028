-- Primary key. Every job of the range was read as pending in this transaction.
UPDATE jobs
SET status = 'processing', attempts = attempts + 1, token = token + 1, locked_by = ?, locked_at = ?, started_at = ?,
    updated_at = ?
WHERE number BETWEEN ? AND ?
