-- What the course's tables hold, into the queue's; see migrate.py, which renames and drops the former.
-- An id of digits alone would be taken for a job's number, so it gets a word before it.
INSERT INTO jobs (id, type, payload, status, priority, attempts, max_attempts, last_error, scheduled_at, created_at,
                  updated_at, completed_at, locked_by, locked_at)
SELECT CASE WHEN CAST(id AS TEXT) GLOB '*[^0-9]*' THEN id ELSE 'job-' || id END, type, coalesce(payload, '{}'), status,
       CAST(coalesce(priority, 0) AS INTEGER), CAST(coalesce(attempts, 0) AS INTEGER),
       CAST(coalesce(max_attempts, 5) AS INTEGER), last_error,
       coalesce(scheduled_at, created_at, datetime('now')), coalesce(created_at, datetime('now')),
       coalesce(updated_at, created_at, datetime('now')), completed_at, locked_by, locked_at
FROM course_jobs ORDER BY created_at, rowid;
INSERT INTO dead_letter_jobs (id, original_job_id, type, payload, attempts, last_error, failed_at, reviewed, notes)
SELECT id, CASE WHEN CAST(original_job_id AS TEXT) GLOB '*[^0-9]*' THEN original_job_id ELSE 'job-' || original_job_id END,
       type, coalesce(payload, '{}'), coalesce(attempts, 0), last_error,
       coalesce(strftime('%Y-%m-%d %H:%M:%f', failed_at), strftime('%Y-%m-%d %H:%M:%f', 'now')), coalesce(reviewed, 0), notes
FROM course_dead_letter_jobs ORDER BY failed_at, rowid;
INSERT INTO cron_schedules (id, type, payload, cron_expression, last_run_at, next_run_at, is_active, created_at)
SELECT id, type, coalesce(payload, '{}'), cron_expression, last_run_at, next_run_at, coalesce(is_active, 1),
       coalesce(created_at, strftime('%Y-%m-%d %H:%M:%f', 'now'))
FROM course_cron_schedules ORDER BY rowid;
