-- jobs by number.
SELECT type, scheduled_at FROM jobs WHERE number = ?
