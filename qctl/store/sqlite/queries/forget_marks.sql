-- By rowid: a stretch of the marks, those that are old enough.
DELETE FROM processed_jobs WHERE rowid BETWEEN ? AND ? AND processed_at < ?
