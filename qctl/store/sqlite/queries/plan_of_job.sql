-- Primary key.
SELECT plan FROM jobs WHERE number = ?
