-- Primary keys of jobs: the step that failed because of a child that runs again.
SELECT step.number, step.id, step.type FROM jobs child JOIN jobs step ON step.number = child.parent
WHERE child.number = ? AND step.status = 'failed' AND instr(step.plan, '"foreach"')
