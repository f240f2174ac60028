-- Primary key: a range of numbers.
SELECT substr(created_at, 1, 16) AS minute, type, count(*) FROM jobs WHERE number > ? AND number <= ? GROUP BY minute, type
