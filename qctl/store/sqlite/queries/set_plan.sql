-- Primary key.
UPDATE jobs SET plan = ? WHERE number = ?
