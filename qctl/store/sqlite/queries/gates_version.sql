-- Primary key, then jobs_expiring: whether limits have changed, and whether a job's time to start is over.
SELECT value, EXISTS (SELECT 1 FROM jobs WHERE expires_at <= ? AND (status = 'pending' OR status = 'blocked'))
FROM qctl_settings WHERE name = 'limits_version'
