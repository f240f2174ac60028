-- Primary keys of jobs and qctl_figures. A completion that the figures have counted is to be followed by another one. To the
-- row without a source: a ledger writes its own rows whole, and would write over it.
INSERT INTO qctl_figures (span, at, type, revived)
SELECT 60, ?, type, 1 FROM jobs WHERE number = ? AND status = 'completed' AND worker IS NOT NULL
ON CONFLICT (span, at, type, source) DO UPDATE SET revived = revived + 1
