-- Primary key: a range of numbers.
SELECT type, count(*) FROM jobs WHERE number > ? AND number <= ? GROUP BY type
