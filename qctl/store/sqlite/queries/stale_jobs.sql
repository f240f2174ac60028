-- jobs_processing: leases of nobody we know, older than the limit.
SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by, coalesce(started_at, locked_at), cancel_asked
FROM jobs
WHERE status = 'processing' AND locked_by IS NOT NULL AND locked_by NOT IN (SELECT id FROM qctl_workers)
  AND julianday(coalesce(locked_at, updated_at)) < julianday(?)
UNION ALL
SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by, coalesce(started_at, locked_at), cancel_asked
FROM jobs
WHERE status = 'processing' AND locked_by IS NULL
  AND julianday(coalesce(locked_at, updated_at)) < julianday(?)
