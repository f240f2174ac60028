-- qctl_needs_needed.
SELECT job FROM qctl_needs WHERE needs = ? AND kind = 'failed'
