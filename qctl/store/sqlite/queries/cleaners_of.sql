-- Primary keys of jobs and qctl_flows. The jobs of a foreach do not count, their step does; jobs that a step adds have none.
SELECT step, flow, on_failure FROM jobs JOIN qctl_flows ON qctl_flows.number = jobs.flow
WHERE jobs.number = ? AND on_failure IS NOT NULL AND (jobs.parent IS NULL OR jobs.step IS NULL)
