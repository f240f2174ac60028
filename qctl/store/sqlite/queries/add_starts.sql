-- Primary key.
INSERT INTO qctl_starts (scope, name, key, slot, count) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, name, key, slot) DO UPDATE SET count = count + excluded.count
