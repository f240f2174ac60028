-- Times, number and id that are not given come from the schema's defaults; see insert.py.
INSERT INTO jobs (id, type, payload, priority, max_attempts, scheduled_at, created_at, updated_at,
                  queue, command, cwd, env, tags, timeout, backoff, attempts_set)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
