-- Primary key. Whether complete_job.sql, with these very values, completed the job.
SELECT 1 FROM jobs
WHERE status = 'completed' AND completed_at = ? AND updated_at = ? AND started_at = ? AND exit_code IS ? AND result IS ?
  AND number = ? AND token = ? AND worker = ?
