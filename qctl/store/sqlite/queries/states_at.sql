-- Reads all jobs once: what each was at a time, as far as it tells; by dead_letter_jobs_job and the key of qctl_history for
-- those that were dead and have been replayed since. What was deleted is not among them.
SELECT type, was, count(*), sum(scheduled_at <= :at), sum(scheduled_at > :at AND started_at <= :at),
       min(CASE WHEN scheduled_at <= :at THEN scheduled_at END)
FROM (
  SELECT type, scheduled_at, started_at,
         CASE WHEN status = 'completed' AND completed_at <= :at THEN 'completed'
              WHEN status IN ('failed', 'cancelled') AND updated_at <= :at THEN status
              WHEN EXISTS (
                SELECT 1 FROM dead_letter_jobs AS d
                WHERE d.original_job_id = jobs.id AND d.failed_at <= :at AND (
                  -- its next run, or the replay itself as long as there is none, came later
                  SELECT coalesce(min(h.started_at), CASE WHEN jobs.started_at > d.failed_at THEN jobs.started_at
                                                          ELSE jobs.updated_at END)
                  FROM qctl_history AS h WHERE h.job = jobs.number AND h.started_at > d.failed_at
                ) > :at
              ) THEN 'failed'
              WHEN status = 'blocked' THEN 'blocked'
              WHEN started_at <= :at AND status <> 'pending' THEN 'processing'
              ELSE 'pending' END AS was
  FROM jobs WHERE created_at <= :at
) GROUP BY type, was ORDER BY type
