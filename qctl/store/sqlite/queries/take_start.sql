-- Primary key: one start less in a slot.
UPDATE qctl_starts SET count = count - 1
WHERE scope = ? AND name = ? AND key = ? AND slot = ? AND count > 0
