-- jobs_flow.
SELECT number FROM jobs WHERE flow = ? AND flow IS NOT NULL ORDER BY number
