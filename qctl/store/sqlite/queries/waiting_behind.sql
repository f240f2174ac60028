-- Primary key of qctl_needs, then that of jobs. What never ends is waited for in vain, whichever end it is.
SELECT job FROM qctl_needs JOIN jobs ON number = job WHERE needs = ? AND met = 0 AND status = 'blocked'
