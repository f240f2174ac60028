-- Primary keys of jobs and qctl_flows: the flow of a job, and the steps that clean up there.
SELECT flow, on_failure FROM jobs JOIN qctl_flows ON qctl_flows.number = jobs.flow WHERE jobs.number = ?
