-- Rides cron_schedules_due: those whose next tick has come, or is not known yet.
SELECT id, name, type, payload, cron_expression, next_run_at, time_zone, catch_up, overlap, seconds, queue, priority,
       max_attempts, timeout, backoff, tags, command, cwd, env, last_tick
FROM cron_schedules WHERE is_active <> 0 AND error IS NULL AND next_run_at IS NULL
UNION ALL
SELECT id, name, type, payload, cron_expression, next_run_at, time_zone, catch_up, overlap, seconds, queue, priority,
       max_attempts, timeout, backoff, tags, command, cwd, env, last_tick
FROM cron_schedules WHERE is_active <> 0 AND error IS NULL AND next_run_at <= ?
LIMIT ?
