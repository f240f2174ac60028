-- Primary key of qctl_needs, then that of jobs: what a completion lets go, marked just before it, behind its fence.
-- The parameters are those of complete_job.sql.
UPDATE qctl_needs SET met = 1
WHERE needs = ?6 AND met = 0 AND kind <> 'failed'
  AND EXISTS (SELECT 1 FROM jobs WHERE number = ?6 AND status = 'processing' AND token = ?7 AND locked_by = ?8)
