-- Primary key.
SELECT value FROM qctl_settings WHERE name = 'types_version'
