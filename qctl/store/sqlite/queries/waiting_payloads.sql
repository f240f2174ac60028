-- Primary key, from a number on: the jobs of one type, for the rare change of its schema.
SELECT number, payload FROM jobs
WHERE number > ? AND +type = ? AND (status = 'pending' OR status = 'blocked') AND command IS NULL
ORDER BY number LIMIT ?
