-- The lanes (priority, queue, type) that have pending jobs, from the top: at most three seeks in jobs_claim for each.
-- Read row by row, so who stops early pays for no more. Not written as a comparison of rows, or with DISTINCT: SQLite
-- would walk through the whole lane to find its end.
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
)
SELECT priority, queue, type FROM lane
