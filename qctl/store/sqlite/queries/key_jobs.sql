-- Primary key: a run of jobs gets the key that their payload has.
UPDATE jobs
SET limit_key = coalesce(nullif(substr(CASE WHEN json_valid(payload) THEN json_extract(payload, ?) END, 1, 200), ''), 'none')
WHERE number > ? AND number <= ? AND type = ?
