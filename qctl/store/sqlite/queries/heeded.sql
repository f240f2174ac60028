-- Primary key.
DELETE FROM qctl_unheeded WHERE job = ?
