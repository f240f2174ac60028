-- Counts in the index of each status, which holds the type: jobs_processing, jobs_blocked, jobs_ended. True whoever wrote
-- the jobs, and no row of the table is read. Pending jobs are counted by count_waiting, completed ones by count_completed.
SELECT type, 'processing' AS status, count(*) FROM jobs WHERE status = 'processing' GROUP BY type
UNION ALL
SELECT type, 'blocked', count(*) FROM jobs WHERE status = 'blocked' GROUP BY type
UNION ALL
SELECT type, 'failed', count(*) FROM jobs WHERE status = 'failed' GROUP BY type
UNION ALL
SELECT type, 'cancelled', count(*) FROM jobs WHERE status = 'cancelled' GROUP BY type
