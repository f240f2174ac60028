-- Reads the dead letters: how many there were at a time, by type, and how many of them nobody has reviewed to this day.
SELECT type, sum(reviewed = 0), count(*) FROM dead_letter_jobs WHERE failed_at <= ? GROUP BY type
