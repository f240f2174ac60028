-- qctl_needs_needed, then the primary key of jobs. Who retries such a job by hand wants it to run, parent or not.
DELETE FROM qctl_needs
WHERE needs = ? AND met = 0 AND kind = 'completed'
  AND job IN (SELECT number FROM jobs WHERE number = qctl_needs.job AND parent = ? AND status = 'cancelled')
