-- Primary key of qctl_needs, with that of jobs. The run that asks for its own child again adopts nobody.
DELETE FROM qctl_needs
WHERE job = ? AND kind = 'completed' AND met = 0
  AND needs = (SELECT parent FROM jobs WHERE number = ? AND status = 'blocked') AND needs IS NOT ?
