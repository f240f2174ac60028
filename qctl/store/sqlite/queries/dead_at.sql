-- Reads the dead letters: how many there were at a time, by type, and how many of them nobody had reviewed. When a letter
-- was reviewed is not kept, except that a replay came before the job's next run, by the key of qctl_history.
SELECT d.type, sum(d.reviewed = 0 OR j.id IS NOT NULL AND (
         SELECT coalesce(min(h.started_at), CASE WHEN j.started_at > d.failed_at THEN j.started_at
                                                 WHEN j.status <> 'failed' THEN j.updated_at END)
         FROM qctl_history AS h WHERE h.job = j.number AND h.started_at > d.failed_at
       ) > :at), count(*)
FROM dead_letter_jobs AS d LEFT JOIN jobs AS j ON j.id = d.original_job_id
WHERE d.failed_at <= :at GROUP BY d.type
