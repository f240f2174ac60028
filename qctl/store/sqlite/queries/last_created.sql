-- Primary key: the minute in which the last job up to a number was created.
SELECT substr(created_at, 1, 16) FROM jobs WHERE number <= ? ORDER BY number DESC LIMIT 1
