-- A new row; the job it names was made in this transaction.
INSERT INTO qctl_needs (job, needs, kind) VALUES (?, ?, 'ended')
