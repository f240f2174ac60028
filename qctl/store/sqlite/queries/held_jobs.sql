-- jobs_processing: the leases of one worker.
SELECT number, token, attempts, max_attempts, rescues, backoff, locked_by, started_at, cancel_asked
FROM jobs WHERE status = 'processing' AND locked_by = ?
