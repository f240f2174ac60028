-- The lane below (priority, queue, type), from the top: at most three seeks in jobs_claim.
-- Not written as one comparison of rows: SQLite would walk through the whole lane to find its end.
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority = ? AND queue = ? AND type < ? ORDER BY type DESC LIMIT 1
)
UNION ALL
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority = ? AND queue < ? ORDER BY queue DESC, type DESC LIMIT 1
)
UNION ALL
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority < ? ORDER BY priority DESC, queue DESC, type DESC LIMIT 1
)
LIMIT 1
