-- qctl_needs_needed, then the primary key of jobs. An --after-any is let go by a cancellation.
WITH RECURSIVE gone(number) AS (
  SELECT value FROM json_each(?1)
  UNION
  SELECT jobs.number
  FROM gone JOIN qctl_needs ON needs = gone.number AND met = 0 AND kind <> 'ended'
  JOIN jobs ON jobs.number = job AND status = 'blocked'
)
SELECT number FROM gone EXCEPT SELECT value FROM json_each(?1) ORDER BY number
