-- Rides jobs_tick: whether one of the newest jobs of a schedule has not ended.
SELECT 1 FROM (SELECT status FROM jobs WHERE schedule = ? ORDER BY tick DESC LIMIT 100)
WHERE status = 'pending' OR status = 'processing' OR status = 'blocked' LIMIT 1
