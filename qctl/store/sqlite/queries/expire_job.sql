-- Primary key. Not started in time.
UPDATE jobs
SET status = 'cancelled', last_error = 'expired: not started by ' || expires_at || ' UTC', updated_at = ?
WHERE number = ? AND status IN ('pending', 'blocked') AND expires_at <= ?
