-- A range of the primary key, and a seek in qctl_needs_job for each: those of the jobs that have a plan, or waited for others.
SELECT number, plan FROM jobs
WHERE number BETWEEN ? AND ? AND (plan IS NOT NULL OR EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number))
