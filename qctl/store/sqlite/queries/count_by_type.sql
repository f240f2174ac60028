-- Counts in the index of each status, which holds the type: jobs_claim, jobs_processing, jobs_completed, jobs_ended,
-- jobs_blocked. True whoever wrote the jobs, and no row of the table is read.
SELECT type, 'pending' AS status, sum(n) FROM (
  SELECT type, count(*) AS n FROM jobs WHERE status = 'pending' GROUP BY priority, queue, type -- as they lie there
) GROUP BY type
UNION ALL
SELECT type, 'processing', count(*) FROM jobs WHERE status = 'processing' GROUP BY type
UNION ALL
SELECT type, 'blocked', count(*) FROM jobs WHERE status = 'blocked' GROUP BY type
UNION ALL
SELECT type, 'completed', count(*) FROM jobs WHERE status = 'completed' GROUP BY type
UNION ALL
SELECT type, 'failed', count(*) FROM jobs WHERE status = 'failed' GROUP BY type
UNION ALL
SELECT type, 'cancelled', count(*) FROM jobs WHERE status = 'cancelled' GROUP BY type
ORDER BY type, status
