-- qctl_needs_job, then that of jobs.
SELECT step FROM qctl_needs JOIN jobs ON jobs.number = needs WHERE job = ? AND status = 'failed'
