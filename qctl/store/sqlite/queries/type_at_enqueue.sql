-- Primary key.
SELECT priority, schema FROM qctl_types WHERE type = ?
