-- Primary key. A lock whose age nobody can tell counts from now on.
UPDATE jobs SET locked_at = ? WHERE number = ? AND status = 'processing' AND token = ? AND locked_by IS ?
