-- Like insert_job.sql, with the columns that few jobs use (NewJob.MORE).
INSERT INTO jobs (id, type, payload, priority, max_attempts, scheduled_at, created_at, updated_at,
                  queue, command, cwd, env, tags, timeout, backoff, attempts_set,
                  key, expires_at, parent, flow, step, schedule, tick, plan, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
