-- jobs_processing, whole: what runs now, which limits on concurrency count. A wider index would cost every claim.
SELECT type, queue, limit_key FROM jobs WHERE status = 'processing'
