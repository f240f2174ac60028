-- All schedules: there are few.
SELECT count(*), coalesce(sum(is_active = 0), 0), coalesce(sum(is_active <> 0 AND error IS NOT NULL), 0),
       coalesce(sum(is_active <> 0 AND error IS NULL AND next_run_at < ?), 0),
       min(CASE WHEN is_active <> 0 AND error IS NULL THEN next_run_at END)
FROM cron_schedules
