-- The triggers that give jobs the key they are limited by. They are in a queue file only while a type is limited by
-- key: every insert pays for a trigger, even for one that says no.
-- A key is text of at most 200 characters; a payload without one, or with null or nothing there, falls in the bucket 'none';
-- one that is no JSON is refused. (json_tree, because triggers may not use json_extract under trusted_schema=OFF. It stands
-- here twice, as SQLite has no trigger for two events, and an insert that led to the other would write its row twice.)

CREATE TRIGGER IF NOT EXISTS jobs_key_inserted AFTER INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM qctl_limits
  WHERE scope = 'type' AND name = NEW.type AND coalesce(rate_key, concurrency_key) IS NOT NULL)
BEGIN
  UPDATE jobs SET limit_key = (
    SELECT coalesce(nullif(substr(
      (SELECT value FROM json_tree(NEW.payload, coalesce(rate_key, concurrency_key)) LIMIT 1), 1, 200), ''), 'none')
    FROM qctl_limits WHERE scope = 'type' AND name = NEW.type)
  WHERE number = NEW.number;
END;

CREATE TRIGGER IF NOT EXISTS jobs_key_updated AFTER UPDATE OF payload, type ON jobs
WHEN EXISTS (SELECT 1 FROM qctl_limits
  WHERE scope = 'type' AND name = NEW.type AND coalesce(rate_key, concurrency_key) IS NOT NULL)
BEGIN
  UPDATE jobs SET limit_key = (
    SELECT coalesce(nullif(substr(
      (SELECT value FROM json_tree(NEW.payload, coalesce(rate_key, concurrency_key)) LIMIT 1), 1, 200), ''), 'none')
    FROM qctl_limits WHERE scope = 'type' AND name = NEW.type)
  WHERE number = NEW.number;
END;
