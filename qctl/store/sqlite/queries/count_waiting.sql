-- Pending jobs by type: due, to be retried, delayed, and since when the oldest due one waits. A walk over the lanes, see
-- lanes.sql; in each, all are counted in jobs_claim, and from its end those that are not due: of these, rows are read.
WITH RECURSIVE lane (priority, queue, type) AS (
  SELECT * FROM (
    SELECT priority, queue, type FROM jobs
    WHERE status = 'pending' AND priority <= 9223372036854775807 ORDER BY priority DESC, queue DESC, type DESC LIMIT 1
  )
  UNION ALL
  SELECT head.priority, head.queue, head.type
  FROM lane CROSS JOIN jobs AS head ON head.number = coalesce(
    (SELECT number FROM jobs WHERE status = 'pending'
       AND priority = lane.priority AND queue = lane.queue AND type < lane.type
     ORDER BY type DESC LIMIT 1),
    (SELECT number FROM jobs WHERE status = 'pending' AND priority = lane.priority AND queue < lane.queue
     ORDER BY queue DESC, type DESC LIMIT 1),
    (SELECT number FROM jobs WHERE status = 'pending' AND priority < lane.priority
     ORDER BY priority DESC, queue DESC, type DESC LIMIT 1)
  )
), kind (typed) AS (VALUES (0), (1))
SELECT type, sum(total - later), sum(again), sum(later - again), min(oldest) FROM (
  SELECT lane.type AS type,
    CASE WHEN typed THEN 0 ELSE (
      SELECT count(*) FROM jobs
      WHERE status = 'pending' AND priority = lane.priority AND queue = lane.queue AND type = lane.type
    ) END AS total,
    (SELECT count(*) FROM jobs
     WHERE status = 'pending' AND priority = lane.priority AND queue = lane.queue AND type = lane.type
       AND (command IS NULL) = typed AND scheduled_at > :now) AS later,
    (SELECT count(*) FROM jobs
     WHERE status = 'pending' AND priority = lane.priority AND queue = lane.queue AND type = lane.type
       AND (command IS NULL) = typed AND scheduled_at > :now AND attempts > 0) AS again,
    (SELECT scheduled_at FROM jobs
     WHERE status = 'pending' AND priority = lane.priority AND queue = lane.queue AND type = lane.type
       AND (command IS NULL) = typed AND scheduled_at <= :now
     ORDER BY scheduled_at LIMIT 1) AS oldest
  FROM lane CROSS JOIN kind
) GROUP BY type
