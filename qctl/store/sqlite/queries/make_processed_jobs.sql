-- Like schema.sql: for a database of the caller's that holds no queue.
CREATE TABLE IF NOT EXISTS processed_jobs (
  job_id       TEXT PRIMARY KEY NOT NULL,
  processed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
)
