-- jobs_flow.
SELECT number, step, type, status, created_at, started_at, completed_at, updated_at, scheduled_at, attempts, parent,
  last_error, plan
FROM jobs WHERE flow = ? AND flow IS NOT NULL ORDER BY number
