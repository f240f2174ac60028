-- qctl_needs_unmet, then the primary key of jobs.
SELECT needs, kind, status FROM qctl_needs LEFT JOIN jobs ON number = needs WHERE job = ? AND met = 0
