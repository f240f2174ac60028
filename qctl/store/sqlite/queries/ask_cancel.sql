-- Primary key. Its worker ends it.
UPDATE jobs SET cancel_asked = 1 WHERE number = ? AND status = 'processing'
