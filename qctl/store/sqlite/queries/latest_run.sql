-- Primary key. The run that is not in the history: the one going on, or the one that completed the job.
SELECT token, attempts, CASE status WHEN 'processing' THEN locked_by ELSE worker END, started_at, completed_at,
       CASE status WHEN 'processing' THEN 'running' ELSE 'completed' END, exit_code, NULL
FROM jobs
WHERE number = ? AND (status = 'processing' OR (status = 'completed'
  AND NOT EXISTS (SELECT 1 FROM qctl_history WHERE job = number AND qctl_history.token = jobs.token)))
