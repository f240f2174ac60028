-- Changes nothing: SQLite takes the write lock before it sees that no row is meant (rowid below the first).
UPDATE jobs SET key = key WHERE number = -9223372036854775808
