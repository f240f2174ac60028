-- Rides cron_schedules_due: the clock was set back, each works out its next tick anew.
UPDATE cron_schedules SET next_run_at = NULL WHERE is_active <> 0 AND error IS NULL AND next_run_at > ?
