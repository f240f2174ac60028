-- Primary key of qctl_needs. Not what waits for a completion: that has gone on, or never will.
SELECT job FROM qctl_needs WHERE needs = ? AND kind <> 'completed'
