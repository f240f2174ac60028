-- Primary key. The limit is the job's, not the run's: when the runs together are over it, the output of earlier ones goes.
DELETE FROM qctl_output
WHERE job = ? AND token < ? AND (SELECT sum(length(data)) FROM qctl_output WHERE job = ?) > ?
