-- jobs_processing: leases of nobody we know, silent for longer than the limit. Their silence counts from locked_at, or from
-- updated_at where that is no time, or one in the far future; `since` is NULL where neither can be read.
-- is_ours: the claim was made by us, which sets started_at too and lets the token grow.
SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by,
  strftime('%Y-%m-%d %H:%M:%f', since) AS since, cancel_asked, is_ours
FROM (
  SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by, cancel_asked,
    locked_at IS NOT NULL AND locked_at IS started_at AS is_ours,
    coalesce(
      CASE WHEN julianday(locked_at) BETWEEN 1721059.5 AND julianday(:latest) THEN julianday(locked_at) END,
      CASE WHEN julianday(updated_at) BETWEEN 1721059.5 AND julianday(:latest) THEN julianday(updated_at) END
    ) AS since
  FROM jobs
  WHERE status = 'processing' AND locked_by IS NOT NULL AND locked_by NOT IN (SELECT id FROM qctl_workers)
  UNION ALL
  SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by, cancel_asked,
    locked_at IS NOT NULL AND locked_at IS started_at,
    coalesce(
      CASE WHEN julianday(locked_at) BETWEEN 1721059.5 AND julianday(:latest) THEN julianday(locked_at) END,
      CASE WHEN julianday(updated_at) BETWEEN 1721059.5 AND julianday(:latest) THEN julianday(updated_at) END
    )
  FROM jobs
  WHERE status = 'processing' AND locked_by IS NULL
)
WHERE since IS NULL OR since < julianday(:limit)
