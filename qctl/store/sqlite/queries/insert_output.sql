-- Primary key. Nothing is kept for a job that is gone or belongs to another run by now.
INSERT OR REPLACE INTO qctl_output (job, token, position, stream, data)
SELECT number, token, ?, ?, ? FROM jobs WHERE number = ? AND token = ?
