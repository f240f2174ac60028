-- The triggers that give jobs the key they are limited by. They are in a queue file only while a type is limited by
-- key: every insert pays for a trigger, even for one that says no.
-- A key is text of at most 200 characters; a payload without one, or with null or nothing there, falls in the bucket 'none'.

CREATE TRIGGER IF NOT EXISTS jobs_key_inserted AFTER INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM qctl_limits
  WHERE scope = 'type' AND name = NEW.type AND coalesce(rate_key, concurrency_key) IS NOT NULL)
BEGIN
  UPDATE jobs SET limit_key = (
    SELECT coalesce(nullif(substr(
      CASE WHEN json_valid(NEW.payload) THEN json_extract(NEW.payload, coalesce(rate_key, concurrency_key)) END,
      1, 200), ''), 'none')
    FROM qctl_limits WHERE scope = 'type' AND name = NEW.type)
  WHERE number = NEW.number;
END;

-- A job that waits, and was edited or comes back from an end.
CREATE TRIGGER IF NOT EXISTS jobs_key_updated AFTER UPDATE OF payload, type, status ON jobs
WHEN NEW.status = 'pending' AND OLD.status <> 'processing'
  AND EXISTS (SELECT 1 FROM qctl_limits
    WHERE scope = 'type' AND name = NEW.type AND coalesce(rate_key, concurrency_key) IS NOT NULL)
BEGIN
  UPDATE jobs SET limit_key = (
    SELECT coalesce(nullif(substr(
      CASE WHEN json_valid(NEW.payload) THEN json_extract(NEW.payload, coalesce(rate_key, concurrency_key)) END,
      1, 200), ''), 'none')
    FROM qctl_limits WHERE scope = 'type' AND name = NEW.type)
  WHERE number = NEW.number;
END;
