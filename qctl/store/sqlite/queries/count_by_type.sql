-- Reads all jobs once: true whoever wrote them.
SELECT type, status, count(*) FROM jobs GROUP BY type, status ORDER BY type
