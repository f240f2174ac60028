-- Primary key of qctl_needs, then that of jobs. An --after-any is let go by a cancellation; children go with it anyway.
SELECT number FROM qctl_needs JOIN jobs ON number = job
WHERE needs = ? AND met = 0 AND kind <> 'ended' AND status = 'blocked' AND parent IS NOT needs
