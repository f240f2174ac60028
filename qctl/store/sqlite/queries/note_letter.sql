-- Primary key. A later note stands below the earlier ones.
UPDATE dead_letter_jobs SET notes = CASE WHEN coalesce(notes, '') = '' THEN ?1 ELSE notes || char(10) || ?1 END
WHERE id = ?2
