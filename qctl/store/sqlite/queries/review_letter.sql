-- Primary key.
UPDATE dead_letter_jobs SET reviewed = 1 WHERE id = ? AND reviewed = 0
