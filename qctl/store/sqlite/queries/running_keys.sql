-- jobs_processing, covered and whole: the keys of a type for which something runs.
SELECT limit_key FROM jobs WHERE status = 'processing' AND type = ?
