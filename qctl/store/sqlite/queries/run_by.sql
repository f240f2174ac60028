-- jobs_processing: what a worker holds.
SELECT number, type, started_at FROM jobs WHERE status = 'processing' AND locked_by = ?
