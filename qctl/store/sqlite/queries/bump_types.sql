-- Primary key. Whoever has read the types sees from it that he has to read them again.
INSERT INTO qctl_settings (name, value) VALUES ('types_version', '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1
