-- jobs_expiring: those whose time is over.
SELECT number FROM jobs
WHERE expires_at <= ? AND (status = 'pending' OR status = 'blocked')
LIMIT ?
