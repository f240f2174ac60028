-- jobs_flow.
SELECT number FROM jobs WHERE flow = ? AND flow IS NOT NULL AND +status IN ('pending', 'processing', 'blocked')
