-- Primary key: the jobs with these numbers, a JSON array.
SELECT substr(created_at, 1, 16) AS minute, type, count(*) FROM jobs
WHERE number IN (SELECT value FROM json_each(?)) GROUP BY minute, type
