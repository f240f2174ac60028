-- Rides cron_schedules_due: when the next schedule ticks, first; '' when one does not know that yet.
SELECT '' FROM cron_schedules WHERE is_active <> 0 AND error IS NULL AND next_run_at IS NULL
UNION ALL
SELECT min(next_run_at) FROM cron_schedules WHERE is_active <> 0 AND error IS NULL AND next_run_at >= ''
LIMIT 1
