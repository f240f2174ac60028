-- Reads all schedules, by name, and the latest job of each by its number.
SELECT s.id, s.name, s.type, s.payload, s.cron_expression, s.next_run_at, s.time_zone, s.catch_up, s.overlap, s.seconds,
       s.queue, s.priority, s.max_attempts, s.timeout, s.backoff, s.tags, s.command, s.cwd, s.env, s.last_tick,
       s.is_active, s.created_at, s.last_run_at, s.last_job, s.skipped, s.error,
       j.status, j.started_at, j.last_error
FROM cron_schedules s LEFT JOIN jobs j ON j.number = s.last_job
ORDER BY coalesce(s.name, s.type), s.rowid
