-- qctl_needs_job, then that of jobs.
SELECT needs, kind, met, type, step, status FROM qctl_needs LEFT JOIN jobs ON jobs.number = needs
WHERE job = ? ORDER BY needs
