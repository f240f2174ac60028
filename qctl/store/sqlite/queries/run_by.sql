-- jobs_processing: what a worker holds, in order of age.
SELECT number, type, started_at FROM jobs WHERE status = 'processing' AND locked_by = ? ORDER BY started_at, number
