-- Primary key, then jobs_flow until the first that has failed.
SELECT 1 FROM jobs
WHERE flow = (SELECT flow FROM jobs WHERE number = ?) AND flow IS NOT NULL AND +status = 'failed' AND number <> ? LIMIT 1
