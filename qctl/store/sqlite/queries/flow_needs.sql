-- jobs_flow, then qctl_needs_job.
SELECT number, needs, met FROM jobs JOIN qctl_needs ON job = number WHERE flow = ? AND flow IS NOT NULL
