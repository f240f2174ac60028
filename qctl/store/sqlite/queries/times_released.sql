-- Primary key: how often a job was let go because its worker died while it did not run.
SELECT count(*) FROM qctl_history WHERE job = ? AND outcome = 'released'
