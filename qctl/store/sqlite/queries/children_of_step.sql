-- qctl_needs_job, in its order, then that of jobs.
SELECT number, step, status, result FROM qctl_needs JOIN jobs ON number = needs WHERE job = ? AND parent = ? ORDER BY needs
