-- Primary key.
INSERT OR REPLACE INTO qctl_starts (scope, name, key, slot, count) VALUES (?, ?, ?, ?, ?)
