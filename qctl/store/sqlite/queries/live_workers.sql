-- Reads the workers that gave a sign of life, a few.
SELECT id, handlers, types, queues FROM qctl_workers WHERE beat_at >= ?
