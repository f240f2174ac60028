-- All of them: there are hardly ever any.
SELECT job, status FROM qctl_unheeded LEFT JOIN jobs ON number = job LIMIT ?
