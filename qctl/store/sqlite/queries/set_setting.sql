-- Primary key.
INSERT OR REPLACE INTO qctl_settings (name, value) VALUES (?, ?)
