-- Primary key of qctl_needs, then that of jobs: a child of the foreach that was replayed is waited for again.
UPDATE qctl_needs SET met = 0
WHERE job = ? AND met = 1
  AND EXISTS (SELECT 1 FROM jobs WHERE number = needs AND parent = ? AND status IN ('pending', 'blocked', 'processing'))
