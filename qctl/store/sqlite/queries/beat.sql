-- Unique index on id.
UPDATE qctl_workers SET beat_at = ?, lease_until = ? WHERE id = ?
