-- Primary key of jobs, then that of qctl_needs.
INSERT INTO qctl_needs (job, needs, kind)
SELECT ?, number, 'ended' FROM jobs WHERE number = ? AND status IN ('pending', 'blocked', 'processing')
ON CONFLICT (job, needs) DO UPDATE SET met = 0 WHERE kind = 'ended'
