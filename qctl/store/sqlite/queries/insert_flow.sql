-- A new row at the end.
INSERT INTO qctl_flows (name, created_at) VALUES (?, ?)
