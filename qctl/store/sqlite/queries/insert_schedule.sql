INSERT INTO cron_schedules (type, payload, cron_expression, next_run_at, created_at, name, time_zone, catch_up, overlap,
                            seconds, queue, priority, max_attempts, timeout, backoff, tags, command, cwd, env)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
