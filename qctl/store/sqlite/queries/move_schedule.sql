-- By the primary key: a schedule goes on to its next tick.
UPDATE cron_schedules SET name = ?, time_zone = ?, next_run_at = ?, last_tick = coalesce(?, last_tick),
       last_run_at = coalesce(?, last_run_at), last_job = coalesce(?, last_job), skipped = skipped + ?
WHERE id = ?
