-- Primary key of qctl_needs.
DELETE FROM qctl_needs WHERE job = ? AND needs = ? AND met = 0
