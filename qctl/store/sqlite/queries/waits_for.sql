-- qctl_needs_unmet: what blocked jobs still wait for.
SELECT job, needs FROM json_each(?) JOIN qctl_needs ON job = value AND met = 0 ORDER BY job, needs
