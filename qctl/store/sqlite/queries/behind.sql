-- Primary key of qctl_needs.
SELECT job FROM qctl_needs WHERE needs = ? AND kind <> 'failed'
