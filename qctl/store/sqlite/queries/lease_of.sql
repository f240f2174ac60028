-- Primary key.
SELECT status, token FROM jobs WHERE number = ?
