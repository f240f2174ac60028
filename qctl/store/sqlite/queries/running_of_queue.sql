-- jobs_processing, covered and whole: how many jobs of a queue run.
SELECT count(*) FROM jobs WHERE status = 'processing' AND queue = ?
