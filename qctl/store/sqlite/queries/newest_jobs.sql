-- Primary key, from its end: so it takes no longer in a large queue.
SELECT number, type, status, queue, tags FROM jobs ORDER BY number DESC LIMIT ?
