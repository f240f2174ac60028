-- jobs_processing: the leases of one worker, and whether they are commands: of their own, or of their type.
SELECT number, token, command IS NOT NULL OR EXISTS (SELECT 1 FROM qctl_types t WHERE t.type = jobs.type AND t.command IS NOT NULL),
  started_at
FROM jobs WHERE status = 'processing' AND locked_by = ?
