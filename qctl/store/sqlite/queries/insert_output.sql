-- Primary key. Nothing is kept for a job that is gone or belongs to another run by now.
INSERT OR REPLACE INTO qctl_output (job, token, position, stream, data)
SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM jobs WHERE number = ?1 AND token = ?2)
