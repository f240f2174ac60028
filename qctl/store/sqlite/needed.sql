-- Whoever ends a job, and however, lets go what waited for that, in the same transaction. Two steps, as with the times.
-- It is in a queue file from the first job on that waits for another: every end pays for a trigger, even for one that says no.

CREATE TRIGGER IF NOT EXISTS jobs_end AFTER UPDATE OF status ON jobs
WHEN (NEW.status = 'completed' OR NEW.status = 'failed' OR NEW.status = 'cancelled')
  AND EXISTS (SELECT 1 FROM qctl_needs WHERE needs = NEW.number AND met = 0)
BEGIN
  INSERT INTO qctl_ends VALUES (NEW.number, NEW.status, NEW.updated_at);
END;
