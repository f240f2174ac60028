-- Primary key. A later note stands below the earlier ones.
UPDATE dead_letter_jobs SET notes = CASE WHEN coalesce(notes, '') = '' THEN '' ELSE notes || char(10) END || ?
WHERE id = ?
