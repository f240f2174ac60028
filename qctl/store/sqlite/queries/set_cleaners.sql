-- Primary key.
UPDATE qctl_flows SET on_failure = ? WHERE number = ?
