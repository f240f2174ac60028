-- Primary key: the minute in which the first job above a number was created.
SELECT substr(created_at, 1, 16) FROM jobs WHERE number > ? ORDER BY number LIMIT 1
