-- Primary key, then the unique index jobs_key: the other, unfinished job with the key of this one.
SELECT other.number FROM jobs this CROSS JOIN jobs other
WHERE this.number = ? AND other.key = this.key AND other.number <> this.number
  AND other.key IS NOT NULL AND other.status <> 'completed' AND other.status <> 'failed' AND other.status <> 'cancelled'
