-- The primary key of each job, qctl_needs_job, then the primary key again: what several jobs are given, job by job. Plain
-- SQL may have stored a result that is no JSON. A foreach waits for jobs of its own, whose results it gathers itself; a
-- step that cleans up waits for jobs that steps have added, and is not given their results.
SELECT own.number, CASE WHEN other.flow = own.flow AND own.step IS NOT NULL THEN other.step ELSE other.number END,
  CASE WHEN json_valid(other.result) THEN other.result END
FROM json_each(?) CROSS JOIN jobs own ON own.number = value
  CROSS JOIN qctl_needs ON job = own.number CROSS JOIN jobs other ON other.number = needs
WHERE other.parent IS NOT own.number
  AND (own.step IS NULL OR other.step IS NOT NULL OR other.flow IS NOT own.flow)
