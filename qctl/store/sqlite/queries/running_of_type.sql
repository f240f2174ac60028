-- jobs_processing, covered and whole: how many jobs of a type run.
SELECT count(*) FROM jobs WHERE status = 'processing' AND type = ?
