-- qctl_needs_job, then that of jobs. Plain SQL may have stored a result that is no JSON. A foreach waits for
-- jobs of its own, whose results it gathers itself.
SELECT CASE WHEN other.flow = own.flow THEN other.step ELSE other.number END,
  CASE WHEN json_valid(other.result) THEN other.result END
FROM qctl_needs JOIN jobs own ON own.number = job JOIN jobs other ON other.number = needs
WHERE job = ? AND other.parent IS NOT own.number
