-- The lane below (priority, queue, type), from the top: at most three seeks in jobs_claim.
-- Not written as one comparison of rows: SQLite would walk through the whole lane to find its end.
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority = ?1 AND queue = ?2 AND type < ?3 ORDER BY type DESC LIMIT 1
)
UNION ALL
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority = ?1 AND queue < ?2 ORDER BY queue DESC, type DESC LIMIT 1
)
UNION ALL
SELECT * FROM (
  SELECT priority, queue, type FROM jobs
  WHERE status = 'pending' AND priority < ?1 ORDER BY priority DESC, queue DESC, type DESC LIMIT 1
)
LIMIT 1
