-- Primary key.
SELECT status, plan FROM jobs WHERE number = ?
