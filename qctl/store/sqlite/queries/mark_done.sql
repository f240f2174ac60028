-- Primary key: a second mark changes nothing.
INSERT INTO processed_jobs (job_id) VALUES (?) ON CONFLICT (job_id) DO NOTHING
