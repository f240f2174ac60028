-- Primary key. Whether somebody cancelled the job while it ran.
SELECT cancel_asked FROM jobs WHERE number = ?
