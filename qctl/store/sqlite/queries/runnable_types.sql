-- Reads the workers that gave a sign of life, and the types that have a program.
SELECT value FROM qctl_workers w, json_each(w.handlers) WHERE w.beat_at >= ? AND json_valid(w.handlers)
UNION SELECT type FROM qctl_types WHERE command IS NOT NULL
