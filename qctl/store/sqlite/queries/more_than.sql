-- jobs_completed, covering: whether there are more completed jobs than so many.
SELECT 1 FROM jobs WHERE status = 'completed' ORDER BY completed_at LIMIT 1 OFFSET ?
