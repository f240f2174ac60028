-- Primary key of qctl_needs, then the primary key of jobs. An --after-any is let go by a cancellation.
SELECT number FROM qctl_needs JOIN jobs ON number = job
WHERE needs = ? AND met = 0 AND kind <> 'ended' AND status = 'blocked'
