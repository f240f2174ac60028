-- Primary key: a run of jobs counts against no key any more.
UPDATE jobs SET limit_key = NULL WHERE number > ? AND number <= ? AND type = ? AND limit_key IS NOT NULL
