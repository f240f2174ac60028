-- The unique index on id.
SELECT number, id FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT 4
