-- When the pending job that is due first, is. A walk over the lanes, see lanes.sql, with a seek or two in each.
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
SELECT min((
  SELECT scheduled_at FROM jobs
  WHERE status = 'pending' AND priority = lane.priority AND queue = lane.queue AND type = lane.type
    AND (command IS NULL) = typed
  ORDER BY scheduled_at LIMIT 1
)) FROM lane CROSS JOIN kind
