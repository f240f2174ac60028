-- Reads all jobs once: what each was at a time, as far as it tells. What was deleted since is not among them.
SELECT type,
       CASE WHEN status = 'completed' AND completed_at <= :at THEN 'completed'
            WHEN status IN ('failed', 'cancelled') AND updated_at <= :at THEN status
            WHEN status = 'blocked' THEN 'blocked'
            WHEN started_at <= :at AND status <> 'pending' THEN 'processing'
            ELSE 'pending' END AS was,
       count(*), sum(scheduled_at <= :at), sum(scheduled_at > :at AND started_at <= :at),
       min(CASE WHEN scheduled_at <= :at THEN scheduled_at END)
FROM jobs WHERE created_at <= :at GROUP BY type, was ORDER BY type
