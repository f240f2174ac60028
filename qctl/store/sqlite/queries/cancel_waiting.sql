-- Primary key.
UPDATE jobs SET status = 'cancelled', last_error = 'cancelled', updated_at = ?
WHERE number = ? AND status IN ('pending', 'blocked')
