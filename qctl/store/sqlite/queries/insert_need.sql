-- Primary key of jobs. A need may have been met before.
INSERT INTO qctl_needs (job, needs, kind, met)
SELECT ?, number, ?, CASE ? WHEN status THEN 1 WHEN 'ended' THEN status IN ('completed', 'failed', 'cancelled') ELSE 0 END
FROM jobs WHERE number = ?
