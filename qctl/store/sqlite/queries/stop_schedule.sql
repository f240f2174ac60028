-- By the primary key: it cannot tick, and why.
UPDATE cron_schedules SET error = ?, next_run_at = NULL WHERE id = ?
