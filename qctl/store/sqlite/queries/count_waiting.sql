-- Pending jobs by type: due, to be retried, delayed, and since when the oldest due one waits. What is due is counted in
-- jobs_claim alone; of what is not, the rows are read for their attempts.
SELECT type, sum(due), sum(retry), sum(delayed), min(oldest) FROM (
  SELECT type, count(*) AS due, 0 AS retry, 0 AS delayed, min(scheduled_at) AS oldest
  FROM jobs WHERE status = 'pending' AND scheduled_at <= ? GROUP BY priority, queue, type
  UNION ALL
  SELECT type, 0, sum(attempts > 0), sum(attempts = 0), NULL
  FROM jobs WHERE status = 'pending' AND scheduled_at > ? GROUP BY priority, queue, type
) GROUP BY type
