BEGIN TRANSACTION;
CREATE TABLE cron_schedules (
  id              TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  type            TEXT NOT NULL,
  payload         TEXT NOT NULL DEFAULT '{}',
  cron_expression TEXT NOT NULL,
  last_run_at     TEXT,                            -- when it last made a job for a tick
  next_run_at     TEXT,                            -- its next tick; NULL: a worker works it out
  is_active       INTEGER NOT NULL DEFAULT 1,      -- 0: paused
  created_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  -- from here on qctl's own columns
  name            TEXT UNIQUE,                     -- NULL: a worker makes one from the type
  time_zone       TEXT,                            -- its name; NULL: that of the worker that sees it first
  catch_up        TEXT NOT NULL DEFAULT 'latest' CHECK (catch_up IN ('latest', 'all', 'none')),
  overlap         TEXT NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip', 'allow')),
  seconds         INTEGER NOT NULL DEFAULT 0,      -- 1: the expression has a sixth field
  queue           TEXT NOT NULL DEFAULT 'default', -- from here on as in jobs, for the jobs it makes
  priority        INTEGER NOT NULL DEFAULT 0,
  max_attempts    INTEGER,
  timeout         REAL,
  backoff         TEXT,
  tags            TEXT,
  command         TEXT,
  cwd             TEXT,
  env             TEXT,
  last_tick       TEXT,                            -- the latest tick that was dealt with: none before it ever is again
  last_job        INTEGER,                         -- the number of the latest job it made
  skipped         INTEGER NOT NULL DEFAULT 0,      -- ticks without a job, as the one before had not ended
  error           TEXT                             -- why it cannot tick
);
INSERT INTO "cron_schedules" VALUES('c-1','report','{}','0 3 * * *',NULL,'2030-01-01 03:00:00.000',1,'2026-01-01 00:00:00.000','report','Europe/Berlin','latest','skip',0,'default',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-01-01 02:00:00.000',3,0,NULL);
CREATE TABLE dead_letter_jobs (
  id              TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  original_job_id TEXT NOT NULL,
  type            TEXT NOT NULL,
  payload         TEXT NOT NULL DEFAULT '{}',
  attempts        INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  failed_at       TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  reviewed        INTEGER NOT NULL DEFAULT 0,
  notes           TEXT
);
INSERT INTO "dead_letter_jobs" VALUES('d-1','j-4','charge','{}',3,'declined','2026-01-01 00:03:00.000',1,'seen');
CREATE TABLE jobs (
  number        INTEGER PRIMARY KEY AUTOINCREMENT, -- what people type; never given out twice
  id            TEXT NOT NULL UNIQUE DEFAULT (lower(printf('%08x-%04x-7%03x-%04x-%s',
                  CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) >> 16,
                  CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) & 65535,
                  last_insert_rowid() >> 14 & 4095, last_insert_rowid() & 16383 | 32768, hex(randomblob(6)))))
                -- UUID version 7: grows with time, and by a counter within one statement, whose time stands still
                CHECK (id GLOB '*[^0-9]*'),
  type          TEXT NOT NULL CHECK (type <> ''),
  payload       TEXT NOT NULL DEFAULT '{}',
  status        TEXT NOT NULL DEFAULT 'pending'
                CHECK (status = 'pending' OR status = 'processing' OR status = 'completed' OR status = 'failed'
                  OR status = 'blocked' OR status = 'cancelled'), -- IN (...) would build a table at each change
  priority      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(priority) = 'integer'),
  attempts      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(attempts) = 'integer'),
  max_attempts  INTEGER NOT NULL DEFAULT 5 CHECK (typeof(max_attempts) = 'integer'),
  last_error    TEXT,
  scheduled_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  created_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  updated_at    TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  completed_at  TEXT,
  locked_by     TEXT,
  locked_at     TEXT,
  -- from here on qctl's own columns
  queue         TEXT NOT NULL DEFAULT 'default' CHECK (queue <> ''),
  command       TEXT,                              -- JSON array: the program and its arguments
  cwd           TEXT,                              -- where a command runs
  env           TEXT,                              -- JSON object: variables added to the worker's own
  tags          TEXT,                              -- JSON array of text
  timeout       REAL                               -- seconds an attempt may take; 0: no limit; NULL: the default
                CHECK (timeout IS NULL OR (typeof(timeout) = 'real' AND timeout >= 0)),
  backoff       TEXT,                              -- 'linear:30s' and kin; NULL: the default
  attempts_set  INTEGER NOT NULL DEFAULT 0,        -- 1: max_attempts was asked for, a type's default does not apply
  token         INTEGER NOT NULL DEFAULT 0         -- grows with each claim: the fence against late results
                CHECK (typeof(token) = 'integer'),
  rescues       INTEGER NOT NULL DEFAULT 0,        -- how often a worker died while it ran
  cancel_asked  INTEGER NOT NULL DEFAULT 0,        -- 1: its worker shall end it
  started_at    TEXT,                              -- the latest attempt
  worker        TEXT,                              -- who completed it
  exit_code     INTEGER,                           -- of the latest attempt of a command; negative: the signal
  result        TEXT,                              -- JSON
  key           TEXT,                              -- while a job with this key is unfinished, there is no second one
  expires_at    TEXT,                              -- not started by then, it is cancelled
  limit_key     TEXT,                              -- whose limit it counts against, for types limited by key
  parent        INTEGER,                           -- the job that enqueued it
  flow          INTEGER,                           -- the flow it belongs to, and its step there
  step          TEXT,
  schedule      TEXT,                              -- the schedule that made it, and the tick it stands for
  tick          TEXT,
  plan          TEXT                               -- JSON: what a step looks at when it starts, see rules/flowstep.py
);
INSERT INTO "jobs" VALUES(1,'j-1','mail','{"to":"ana"}','pending',10,0,5,NULL,'2026-01-02 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000',NULL,NULL,NULL,'default',NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,NULL,NULL,NULL,NULL,'k','2030-01-01 00:00:00.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(2,'j-2','mail','{}','processing',0,2,5,'first','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:01:00.000',NULL,'worker-1','2026-01-01 00:01:00.000','slow',NULL,NULL,NULL,NULL,NULL,NULL,0,7,0,0,'2026-01-01 00:01:00.000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(3,'j-3','charge','{"n":1.5}','completed',0,1,5,NULL,'2026-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:02:00.000','2026-01-01 00:02:00.000',NULL,NULL,'default',NULL,NULL,NULL,NULL,NULL,NULL,0,1,0,0,'2026-01-01 00:01:59.000','worker-1',0,'{"ok":true}',NULL,NULL,NULL,NULL,1,'charge',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(4,'j-4','charge','{}','failed',0,3,3,'declined','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:03:00.000',NULL,NULL,NULL,'default',NULL,NULL,NULL,NULL,NULL,NULL,0,3,0,0,'2026-01-01 00:02:59.000',NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(5,'j-5','ship','{}','blocked',0,0,5,NULL,'2026-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000',NULL,NULL,NULL,'default',NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,'ship',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,'j-6','ship','{}','cancelled',0,0,5,'cancelled','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:04:00.000',NULL,NULL,NULL,'default',NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,'j-7','command','{}','pending',0,0,5,NULL,'2030-01-01 00:00:00.000','2026-01-01 00:00:00.000','2026-01-01 00:00:00.000',NULL,NULL,NULL,'default','["echo","hello"]','/tmp','{"A":"b"}','["x"]',30.0,'fixed:1s',1,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE processed_jobs (
  job_id       TEXT PRIMARY KEY NOT NULL,
  processed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
INSERT INTO "processed_jobs" VALUES('j-3','2026-01-01 00:02:00.000');
CREATE TABLE qctl_figures (
  span      INTEGER NOT NULL,           -- seconds: 60, 600 or 3600
  at        INTEGER NOT NULL,           -- when it begins, in seconds since 1970
  type      TEXT NOT NULL,
  source    TEXT NOT NULL DEFAULT '',   -- who counted; '' for what is already added up
  enqueued  INTEGER NOT NULL DEFAULT 0, -- jobs
  completed INTEGER NOT NULL DEFAULT 0,
  failed    INTEGER NOT NULL DEFAULT 0, -- attempts, of which retried were followed by another
  retried   INTEGER NOT NULL DEFAULT 0,
  dead      INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0, -- by a worker: while they ran
  revived   INTEGER NOT NULL DEFAULT 0, -- that had ended so, and were replayed or run again; less what was taken back
  wait      BLOB,                       -- how long completed jobs waited and ran: see rules/sketch.py
  run       BLOB,
  PRIMARY KEY (span, at, type, source)
) WITHOUT ROWID;
INSERT INTO "qctl_figures" VALUES(60,1767225600,'charge','',0,1,0,0,0,0,0,NULL,NULL);
CREATE TABLE qctl_flows (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
  on_failure TEXT -- JSON array: the jobs that clean up when a step has failed
);
INSERT INTO "qctl_flows" VALUES(1,'order','2026-01-01 00:00:00.000',NULL);
CREATE TABLE qctl_history (
  job         INTEGER NOT NULL,
  token       INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  worker      TEXT,
  started_at  TEXT,
  finished_at TEXT,
  outcome     TEXT NOT NULL,
  exit_code   INTEGER,
  error       TEXT,
  PRIMARY KEY (job, token)
) WITHOUT ROWID;
INSERT INTO "qctl_history" VALUES(2,6,1,'worker-1','2026-01-01 00:00:01.000','2026-01-01 00:00:02.000','error',1,'first');
CREATE TABLE qctl_limits (
  scope           TEXT NOT NULL CHECK (scope IN ('type', 'queue', 'all')),
  name            TEXT NOT NULL DEFAULT '',
  rate            INTEGER, -- starts per rate_period seconds, and rate_burst more at once
  rate_period     REAL CHECK (rate IS NULL OR coalesce(rate_period, 0) > 0), -- seconds
  rate_burst      INTEGER,
  rate_key        TEXT,    -- path in the payload: each value has a rate of its own
  concurrency     INTEGER,
  concurrency_key TEXT,    -- path in the payload
  paused_at       TEXT,
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;
INSERT INTO "qctl_limits" VALUES('type','charge',30,60.0,NULL,NULL,2,NULL,'2026-01-01 00:00:00.000');
CREATE TABLE qctl_needs (
  job   INTEGER NOT NULL,
  needs INTEGER NOT NULL,
  kind  TEXT NOT NULL DEFAULT 'completed' CHECK (kind IN ('completed', 'ended', 'failed')),
  met   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (needs, job)
) WITHOUT ROWID;
INSERT INTO "qctl_needs" VALUES(5,2,'completed',0);
INSERT INTO "qctl_needs" VALUES(5,3,'completed',1);
CREATE TABLE qctl_output (
  job      INTEGER NOT NULL,
  token    INTEGER NOT NULL,
  position INTEGER NOT NULL,
  stream   INTEGER NOT NULL, -- 1 stdout, 2 stderr
  data     BLOB NOT NULL,
  PRIMARY KEY (job, token, position)
) WITHOUT ROWID;
INSERT INTO "qctl_output" VALUES(3,1,0,1,X'00FF41');
CREATE TABLE qctl_settings (
  name  TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "qctl_settings" VALUES('limits_version','1');
INSERT INTO "qctl_settings" VALUES('schema_version','1');
INSERT INTO "qctl_settings" VALUES('undo_for','2d');
CREATE TABLE qctl_starts (
  scope TEXT NOT NULL,
  name  TEXT NOT NULL,
  key   TEXT NOT NULL,
  slot  INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (scope, name, key, slot)
) WITHOUT ROWID;
CREATE TABLE qctl_types (
  type         TEXT PRIMARY KEY NOT NULL,
  max_attempts INTEGER,
  backoff      TEXT,
  timeout      REAL,    -- seconds
  priority     INTEGER,
  output_limit INTEGER, -- bytes
  retention    REAL,    -- seconds that completed jobs are kept
  own_retention REAL,   -- the same as the handler says, for purges that have no handler at hand
  schema       TEXT,    -- JSON Schema of the payload
  command      TEXT     -- JSON array: the program that runs jobs of this type
) WITHOUT ROWID;
INSERT INTO "qctl_types" VALUES('ship',2,'fixed:5s',60.0,NULL,NULL,NULL,NULL,NULL,'["ship"]');
CREATE TABLE qctl_undo (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  action  INTEGER NOT NULL, -- what one command did has one number
  verb    TEXT NOT NULL,
  made_at TEXT NOT NULL,
  before  TEXT NOT NULL,    -- JSON
  total   INTEGER NOT NULL DEFAULT 0 -- bytes of all that was ever kept, with this
);
INSERT INTO "qctl_undo" VALUES(1,1,'cancel','2026-01-01 00:04:00.000','{"job":null,"letters":[]}',0);
CREATE TABLE qctl_unheeded (job INTEGER PRIMARY KEY NOT NULL);
INSERT INTO "qctl_unheeded" VALUES(4);
CREATE TABLE qctl_workers (
  number      INTEGER PRIMARY KEY AUTOINCREMENT, -- also the byte of the lock file that this worker holds
  id          TEXT NOT NULL UNIQUE,
  host        TEXT NOT NULL,
  boot        TEXT NOT NULL,                     -- changes when the machine restarts
  pid         INTEGER NOT NULL,
  concurrency INTEGER NOT NULL,
  started_at  TEXT NOT NULL,
  beat_at     TEXT NOT NULL,
  lease_until REAL,                              -- monotonic clock of the machine: without a beat by then it is frozen
  handlers    TEXT,                              -- JSON array: the types of typed jobs that it can run
  types       TEXT,                              -- JSON array: those it takes jobs of; NULL: all
  queues      TEXT                               -- JSON array: the queues it takes jobs from; NULL: all
);
CREATE INDEX jobs_claim ON jobs (status, priority, queue, type, (command IS NULL), scheduled_at)
  WHERE status = 'pending';
CREATE INDEX jobs_processing ON jobs (locked_by, type, queue, limit_key, status)
  WHERE status = 'processing';
CREATE INDEX jobs_completed ON jobs (completed_at, type, status) WHERE status = 'completed';
CREATE INDEX jobs_elsewhere ON jobs (completed_at, type, started_at, scheduled_at)
  WHERE status = 'completed' AND worker IS NULL;
CREATE INDEX jobs_ended ON jobs (status, updated_at, type)
  WHERE status = 'failed' OR status = 'cancelled';
CREATE INDEX jobs_blocked ON jobs (type, status) WHERE status = 'blocked';
CREATE UNIQUE INDEX jobs_key ON jobs (key)
  WHERE key IS NOT NULL AND status <> 'completed' AND status <> 'failed' AND status <> 'cancelled';
CREATE INDEX jobs_key_ended ON jobs (key, created_at) WHERE key IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (expires_at)
  WHERE expires_at IS NOT NULL AND (status = 'pending' OR status = 'blocked');
CREATE INDEX jobs_keyed ON jobs (status, type, queue, priority, limit_key, (command IS NULL), scheduled_at)
  WHERE limit_key IS NOT NULL AND status = 'pending';
CREATE UNIQUE INDEX jobs_tick ON jobs (schedule, tick) WHERE schedule IS NOT NULL;
CREATE INDEX jobs_flow ON jobs (flow, number) WHERE flow IS NOT NULL;
CREATE TRIGGER jobs_times_inserted AFTER INSERT ON jobs
WHEN NEW.scheduled_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.scheduled_at)
  OR (NEW.created_at IS NOT NEW.scheduled_at AND NEW.created_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.created_at))
  OR (NEW.updated_at IS NOT NEW.created_at AND NEW.updated_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.updated_at))
  OR NEW.completed_at IS NOT NULL
  OR NEW.locked_at IS NOT NULL
  OR NEW.expires_at IS NOT NULL
BEGIN
  INSERT INTO qctl_times
    VALUES (NEW.number, NEW.scheduled_at, NEW.created_at, NEW.updated_at, NEW.completed_at, NEW.locked_at, NEW.expires_at);
END;
CREATE VIEW qctl_times AS
  SELECT number, scheduled_at, created_at, updated_at, completed_at, locked_at, expires_at FROM jobs;
CREATE TRIGGER qctl_times_normalised INSTEAD OF INSERT ON qctl_times
BEGIN
  SELECT RAISE(ABORT, 'jobs.scheduled_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE coalesce(julianday(NEW.scheduled_at), 0) < 1721059.5;
  SELECT RAISE(ABORT, 'jobs.created_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE coalesce(julianday(NEW.created_at), 0) < 1721059.5;
  SELECT RAISE(ABORT, 'jobs.updated_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE coalesce(julianday(NEW.updated_at), 0) < 1721059.5;
  SELECT RAISE(ABORT, 'jobs.completed_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE NEW.completed_at IS NOT NULL AND coalesce(julianday(NEW.completed_at), 0) < 1721059.5;
  SELECT RAISE(ABORT, 'jobs.locked_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE NEW.locked_at IS NOT NULL AND coalesce(julianday(NEW.locked_at), 0) < 1721059.5;
  SELECT RAISE(ABORT, 'jobs.expires_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE NEW.expires_at IS NOT NULL AND coalesce(julianday(NEW.expires_at), 0) < 1721059.5;
  UPDATE jobs SET
    scheduled_at = strftime('%Y-%m-%d %H:%M:%f', NEW.scheduled_at),
    created_at = strftime('%Y-%m-%d %H:%M:%f', NEW.created_at),
    updated_at = strftime('%Y-%m-%d %H:%M:%f', NEW.updated_at),
    completed_at = strftime('%Y-%m-%d %H:%M:%f', NEW.completed_at),
    locked_at = strftime('%Y-%m-%d %H:%M:%f', NEW.locked_at),
    expires_at = strftime('%Y-%m-%d %H:%M:%f', NEW.expires_at)
  WHERE number = NEW.number;
END;
CREATE TRIGGER jobs_times_updated AFTER UPDATE OF scheduled_at ON jobs
WHEN NEW.scheduled_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.scheduled_at)
BEGIN
  SELECT RAISE(ABORT, 'jobs.scheduled_at is not a time: use YYYY-MM-DD HH:MM:SS.sss in UTC, or ISO 8601')
    WHERE coalesce(julianday(NEW.scheduled_at), 0) < 1721059.5;
  UPDATE jobs SET scheduled_at = strftime('%Y-%m-%d %H:%M:%f', NEW.scheduled_at) WHERE number = NEW.number;
END;
CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs
BEGIN
  DELETE FROM qctl_history WHERE job = OLD.number;
  DELETE FROM qctl_output WHERE job = OLD.number;
  DELETE FROM qctl_needs WHERE job = OLD.number;
END;
CREATE INDEX dead_letter_jobs_job ON dead_letter_jobs (original_job_id);
CREATE INDEX dead_letter_jobs_unreviewed ON dead_letter_jobs (failed_at) WHERE reviewed = 0;
CREATE INDEX cron_schedules_due ON cron_schedules (next_run_at) WHERE is_active <> 0 AND error IS NULL;
CREATE TRIGGER cron_schedules_inserted AFTER INSERT ON cron_schedules
WHEN NEW.next_run_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.next_run_at)
BEGIN
  UPDATE cron_schedules SET next_run_at = strftime('%Y-%m-%d %H:%M:%f', next_run_at) WHERE id = NEW.id;
END;
CREATE TRIGGER cron_schedules_moved AFTER UPDATE OF next_run_at ON cron_schedules
WHEN NEW.next_run_at IS NOT strftime('%Y-%m-%d %H:%M:%f', NEW.next_run_at)
BEGIN
  UPDATE cron_schedules SET next_run_at = strftime('%Y-%m-%d %H:%M:%f', next_run_at) WHERE id = NEW.id;
END;
CREATE TRIGGER cron_schedules_changed AFTER UPDATE OF cron_expression, time_zone, seconds, is_active, type ON cron_schedules
WHEN NEW.next_run_at IS OLD.next_run_at AND NEW.error IS OLD.error
  AND (NEW.cron_expression IS NOT OLD.cron_expression OR NEW.time_zone IS NOT OLD.time_zone
    OR NEW.seconds IS NOT OLD.seconds OR NEW.type IS NOT OLD.type OR (NEW.is_active <> 0 AND OLD.is_active = 0))
BEGIN
  UPDATE cron_schedules SET next_run_at = NULL, error = NULL WHERE id = NEW.id;
END;
CREATE INDEX qctl_history_finished ON qctl_history (finished_at);
CREATE INDEX qctl_needs_job ON qctl_needs (job);
CREATE INDEX qctl_needs_unmet ON qctl_needs (job) WHERE met = 0;
CREATE VIEW qctl_ends AS SELECT number, status, updated_at FROM jobs;
CREATE TRIGGER qctl_ended INSTEAD OF INSERT ON qctl_ends
BEGIN
  UPDATE qctl_needs SET met = 1
  WHERE needs = NEW.number AND met = 0 AND (kind = NEW.status OR kind = 'ended');
  UPDATE jobs SET
    status = 'pending', updated_at = NEW.updated_at,
    scheduled_at = max(scheduled_at, coalesce(strftime('%Y-%m-%d %H:%M:%f', NEW.updated_at), scheduled_at))
  WHERE number IN (SELECT job FROM qctl_needs WHERE needs = NEW.number AND met = 1) AND status = 'blocked'
    AND NOT EXISTS (SELECT 1 FROM qctl_needs WHERE job = jobs.number AND met = 0);
  INSERT OR IGNORE INTO qctl_unheeded SELECT NEW.number FROM jobs JOIN qctl_flows ON qctl_flows.number = flow
  WHERE jobs.number = NEW.number AND NEW.status <> 'completed' AND on_failure IS NOT NULL;
END;
CREATE INDEX qctl_undo_action ON qctl_undo (action, number);
CREATE INDEX qctl_undo_made ON qctl_undo (made_at);
CREATE INDEX qctl_undo_total ON qctl_undo (total);
CREATE TRIGGER qctl_limits_inserted AFTER INSERT ON qctl_limits
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER qctl_limits_updated AFTER UPDATE ON qctl_limits
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER qctl_limits_deleted AFTER DELETE ON qctl_limits
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER qctl_ageing_set AFTER INSERT ON qctl_settings WHEN NEW.name = 'ageing'
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER qctl_ageing_changed AFTER UPDATE ON qctl_settings WHEN NEW.name = 'ageing'
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER qctl_ageing_unset AFTER DELETE ON qctl_settings WHEN OLD.name = 'ageing'
BEGIN
  UPDATE qctl_settings SET value = value + 1 WHERE name = 'limits_version';
END;
CREATE TRIGGER jobs_end AFTER UPDATE OF status ON jobs
WHEN (NEW.status = 'completed' OR NEW.status = 'failed' OR NEW.status = 'cancelled')
  AND EXISTS (SELECT 1 FROM qctl_needs WHERE needs = NEW.number AND met = 0)
BEGIN
  INSERT INTO qctl_ends VALUES (NEW.number, NEW.status, NEW.updated_at);
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',7);
INSERT INTO "sqlite_sequence" VALUES('qctl_flows',1);
INSERT INTO "sqlite_sequence" VALUES('qctl_undo',1);
COMMIT;
