-- jobs_processing: what this worker runs and somebody wants ended.
SELECT number, token FROM jobs WHERE status = 'processing' AND locked_by = ? AND cancel_asked
