-- Primary key of qctl_flows, backwards: the newest few.
SELECT number, created_at FROM qctl_flows WHERE number < ? ORDER BY number DESC LIMIT ?
