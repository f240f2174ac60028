-- Primary key of qctl_flows, backwards, then jobs_flow.
SELECT f.number, f.name, f.created_at, max(j.updated_at), count(j.number),
  count(*) FILTER (WHERE j.status = 'pending'), count(*) FILTER (WHERE j.status = 'blocked'),
  count(*) FILTER (WHERE j.status = 'processing'), count(*) FILTER (WHERE j.status = 'completed'),
  count(*) FILTER (WHERE j.status = 'failed'), count(*) FILTER (WHERE j.status = 'cancelled')
FROM qctl_flows f LEFT JOIN jobs j ON j.flow = f.number AND j.flow IS NOT NULL
WHERE f.number BETWEEN ? AND ?
GROUP BY f.number ORDER BY f.number DESC LIMIT ?
