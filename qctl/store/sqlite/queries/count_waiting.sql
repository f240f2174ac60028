-- Pending jobs by type: due, to be retried, delayed, and since when the oldest due one waits.
SELECT type, sum(scheduled_at <= ?), sum(scheduled_at > ? AND attempts > 0), sum(scheduled_at > ? AND attempts = 0),
       min(CASE WHEN scheduled_at <= ? THEN scheduled_at END)
FROM jobs WHERE status = 'pending' GROUP BY type
