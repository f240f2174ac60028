-- Primary key.
INSERT INTO qctl_types (type, own_retention) VALUES (?, ?)
ON CONFLICT (type) DO UPDATE SET own_retention = excluded.own_retention
