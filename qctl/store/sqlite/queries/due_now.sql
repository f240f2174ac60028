-- Primary key. One that is due keeps its place.
UPDATE jobs SET scheduled_at = ?, updated_at = ? WHERE number = ? AND status = 'pending' AND scheduled_at > ?
