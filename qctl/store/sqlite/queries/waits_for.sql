-- qctl_needs_unmet: what a blocked job still waits for.
SELECT needs FROM qctl_needs WHERE job = ? AND met = 0
