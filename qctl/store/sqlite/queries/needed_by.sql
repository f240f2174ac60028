-- Primary key of qctl_needs, then the primary key of jobs.
SELECT number, kind, met, type, step, status FROM qctl_needs JOIN jobs ON jobs.number = job
WHERE needs = ?
