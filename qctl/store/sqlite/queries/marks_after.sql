-- By rowid, in the order in which they were made.
SELECT rowid, processed_at FROM processed_jobs WHERE rowid > ? ORDER BY rowid LIMIT ?
