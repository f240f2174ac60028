# Completion of qctl for PowerShell. Written by `qctl completion powershell`: do not edit.

Register-ArgumentCompleter -Native -CommandName qctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # What may follow a command: options (name, kind of its value, help), further commands, arguments by their kind.
    $places = @{
        '' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.'),
                @('--version', '', 'Show the version.'),
                @('-V', '', 'Show the version.')
            )
            Subs = @(
                @('enqueue', 'Put a job into the queue: a typed job, or a command.'),
                @('work', 'Run jobs: a worker.'),
                @('workers', 'List workers, and what each runs.'),
                @('list', 'List jobs.'),
                @('show', 'Show a job and its history.'),
                @('logs', 'Print what a job wrote.'),
                @('wait', 'Wait until jobs have ended.'),
                @('cancel', 'Cancel jobs.'),
                @('retry', 'Run jobs now: again, or before their time.'),
                @('edit', 'Change a job that has not ended.'),
                @('explain', 'Say why a job is not running, and what would let it.'),
                @('pause', 'Start no more jobs of a type, a queue, or at all; what runs goes on.'),
                @('resume', 'Let jobs start again that were paused.'),
                @('stats', 'Show how the queue does.'),
                @('health', 'Say whether the queue is healthy, by exit code.'),
                @('assert', 'Check what must hold of the queue, by exit code.'),
                @('forecast', 'Say when the queue will be empty.'),
                @('events', 'Print what happened to jobs, as NDJSON.'),
                @('serve', 'Serve the figures over HTTP: a page, health, metrics.'),
                @('dlq', 'Inspect and replay dead letters.'),
                @('cron', 'Recurring jobs: add, list and steer schedules.'),
                @('flow', 'Run jobs as steps that wait for one another.'),
                @('types', 'Set what holds for all jobs of a type.'),
                @('once', 'Run a command here, unless it was done before.'),
                @('purge', 'Delete jobs that ended long ago.'),
                @('backup', 'Copy the queue file while workers run; the copy is whole and checked.'),
                @('export', 'Write all that is in the queue as NDJSON.'),
                @('import', 'Take in what was exported, or whole queue files; what is there stays.'),
                @('doctor', 'Look for what is wrong with the queue file and its place.'),
                @('undo', 'Take back the latest cancel, retry, edit, replay or discard.'),
                @('demo', 'See all of it at work, on a queue file of its own.'),
                @('init', 'Make a queue file, or add a queue to an SQLite database.'),
                @('config', 'Show or change settings of the queue.'),
                @('completion', 'Print the completion script of a shell.'),
                @('help', 'Explain a topic.')
            )
            Arguments = @()
            Tail = $false
        }
        'enqueue' = @{
            Options = @(
                @('--shell', '-', 'Run a line with /bin/sh -c.'),
                @('--from', 'file', 'Many jobs: NDJSON from a file, or - for stdin.'),
                @('--atomic', '', 'With --from: all lines or none.'),
                @('--priority', '=low normal high critical', 'low, normal, high, critical or a number (default 0).'),
                @('-p', '=low normal high critical', 'low, normal, high, critical or a number (default 0).'),
                @('--in', '-', 'Run after a delay: 30s, 5m, 2h, 1d12h.'),
                @('-i', '-', 'Run after a delay: 30s, 5m, 2h, 1d12h.'),
                @('--at', '-', 'Run at a time: 18:00, ''tomorrow 09:00'', 2027-01-31T12:00Z.'),
                @('--queue', 'queues', 'The queue it belongs to (default: default).'),
                @('-q', 'queues', 'The queue it belongs to (default: default).'),
                @('--tag', 'tags', 'A tag to find it by; may be repeated.'),
                @('--id', '-', 'An id of your own; each can be used once.'),
                @('--type', 'types', 'The type of a command (default: command).'),
                @('-t', 'types', 'The type of a command (default: command).'),
                @('--payload', '-', 'Payload of a command, given to it on stdin.'),
                @('--max-attempts', '-', 'Attempts before it becomes a dead letter (default 5).'),
                @('--backoff', '-', 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'),
                @('--timeout', '-', 'Longest time of an attempt (default 24h; none: no limit).'),
                @('--expires', '-', 'Cancel it if it has not started by then.'),
                @('--key', '-', 'While an unfinished job has this key, print that job''s number instead.'),
                @('--key-for', '-', 'With --key: also if it was enqueued within so long and has ended.'),
                @('--after', 'jobs', 'Run after these have completed: 1036, 1040-1050, 7,9.'),
                @('--after-any', 'jobs', 'Run after these have ended, however.'),
                @('--after-failed', 'jobs', 'Run after these have failed for good.'),
                @('--cwd', 'dir', 'Where a command runs (default: here).'),
                @('--env', '-', 'A variable for a command; NAME alone: its value here.'),
                @('--wait', '', 'Wait for the end; exit 1 if the job failed.'),
                @('-w', '', 'Wait for the end; exit 1 if the job failed.'),
                @('--follow', '', 'Like --wait, and show what it writes.'),
                @('-f', '', 'Like --wait, and show what it writes.'),
                @('--wait-timeout', '-', 'Wait no longer than this; then exit 124.'),
                @('--exit-code', '', 'With --wait: leave with the command''s own status.'),
                @('--now', '', 'Inside a job: whatever becomes of that job, and not with its completion.'),
                @('--dry-run', '', 'Check it and show what would be stored.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types', 'file...')
            Tail = $true
        }
        'work' = @{
            Options = @(
                @('--concurrency', '-', 'Jobs at the same time (default 1).'),
                @('-c', '-', 'Jobs at the same time (default 1).'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--handlers', 'file', 'Python handlers: a module, or a file.py; may be repeated.'),
                @('-H', 'file', 'Python handlers: a module, or a file.py; may be repeated.'),
                @('--threads', '-', 'Run N plain handlers at once as threads of one process (for waiting, not for work).'),
                @('--coroutines', '-', 'Run so many async handlers at once in one process (default 100).'),
                @('--memory', '-', 'Address space that a job''s process may have: 512m, 2g.'),
                @('--max-jobs-per-child', '-', 'Replace a handler process after so many jobs.'),
                @('--once', '', 'Stop when nothing is due.'),
                @('--drain', '', 'Stop when nothing is left to run, retries and delayed jobs included; exit 1 if jobs died.'),
                @('--max-jobs', '-', 'Stop after so many jobs.'),
                @('--max-time', '-', 'Stop after this time.'),
                @('--grace', '-', 'How long running jobs may take to end when it is stopped (default 30s).'),
                @('--log-format', '=text json', 'text or json, on stderr.'),
                @('--quiet', '', 'No line per event.'),
                @('--verbose', '', 'Show the traceback of handlers that cannot be loaded.'),
                @('-v', '', 'Show the traceback of handlers that cannot be loaded.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'workers' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'list' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--flow', '-', 'Only the steps of this flow.'),
                @('--limit', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'show' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs')
            Tail = $false
        }
        'logs' = @{
            Options = @(
                @('--follow', '', 'Go on until the job has ended.'),
                @('-f', '', 'Go on until the job has ended.'),
                @('--attempt', '-', 'The output of this attempt (default: the latest).'),
                @('--stdout', '', 'Only what it wrote to stdout.'),
                @('--stderr', '', 'Only what it wrote to stderr.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs')
            Tail = $false
        }
        'wait' = @{
            Options = @(
                @('--wait-timeout', '-', 'Wait no longer than this; then exit 124.'),
                @('--fail-fast', '', 'Leave as soon as one has failed.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs...')
            Tail = $false
        }
        'cancel' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--cascade', '', 'Cancel also the blocked jobs that could not run without them.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs...')
            Tail = $false
        }
        'retry' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs...')
            Tail = $false
        }
        'edit' = @{
            Options = @(
                @('--payload', '-', 'A new payload: JSON, @FILE, or - for stdin.'),
                @('--priority', '=low normal high critical', 'low, normal, high, critical or a number.'),
                @('-p', '=low normal high critical', 'low, normal, high, critical or a number.'),
                @('--in', '-', 'Run after a delay from now.'),
                @('-i', '-', 'Run after a delay from now.'),
                @('--at', '-', 'Run at a time.'),
                @('--queue', 'queues', 'Move it to a queue.'),
                @('-q', 'queues', 'Move it to a queue.'),
                @('--tag', 'tags', 'Its tags from now on; may be repeated.'),
                @('--max-attempts', '-', 'Attempts before it becomes a dead letter.'),
                @('--backoff', '-', 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'),
                @('--timeout', '-', 'Longest time of an attempt; none: no limit.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs')
            Tail = $false
        }
        'explain' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('jobs')
            Tail = $false
        }
        'pause' = @{
            Options = @(
                @('--queue', 'queues', 'A queue; may be repeated.'),
                @('-q', 'queues', 'A queue; may be repeated.'),
                @('--all', '', 'Everything.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types...')
            Tail = $false
        }
        'resume' = @{
            Options = @(
                @('--queue', 'queues', 'A queue; may be repeated.'),
                @('-q', 'queues', 'A queue; may be repeated.'),
                @('--all', '', 'Everything.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types...')
            Tail = $false
        }
        'stats' = @{
            Options = @(
                @('--since', '-', 'The window of rates and percentiles (default 1h).'),
                @('--at', '-', 'As it was then: 2h (ago), 09:00, yesterday 09:00. Rates go by whole minutes.'),
                @('--watch', '', 'Full screen and live; ? shows the keys.'),
                @('-w', '', 'Full screen and live; ? shows the keys.'),
                @('--type', 'types', 'Only this type; may be repeated.'),
                @('-t', 'types', 'Only this type; may be repeated.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'health' = @{
            Options = @(
                @('--max-pending', '-', 'Pending jobs above this are an issue (default 1000).'),
                @('--max-age', '-', 'A due job older than this is an issue (default 30m).'),
                @('--max-dead', '-', 'Unreviewed dead letters above this are an issue (default 10).'),
                @('--max-failure-rate', '-', 'Failing attempts of the last hour: 20% (default off).'),
                @('--max-running', '-', 'A job that runs longer is an issue (default 24h).'),
                @('--max-unserved', '-', 'A due job that no live worker can run (default off).'),
                @('--max-overdue', '-', 'A schedule that is later to fire (default off).'),
                @('--max-silence', '-', 'A worker that is silent for longer (default 5m).'),
                @('--max-wal', '-', 'A write-ahead log that is larger (default 1g).'),
                @('--min-disk', '-', 'Less free disk space is an issue (default 64m).'),
                @('--nagios', '', 'One line as monitoring plugins print it, with performance data.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'assert' = @{
            Options = @(
                @('--wait', '-', 'Wait so long for it to become true.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $false
        }
        'forecast' = @{
            Options = @(
                @('--workers', '-', 'With N jobs at once, instead of as many as now.'),
                @('--since', '-', 'Go by the last so long (default 1h).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'events' = @{
            Options = @(
                @('--since', '-', 'From then on: 1h, 09:00, 2026-10-13 (default 1h; with -f: now).'),
                @('--follow', '', 'Go on as it happens.'),
                @('-f', '', 'Go on as it happens.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'serve' = @{
            Options = @(
                @('--host', '-', 'Where to listen (default 127.0.0.1); elsewhere than loopback takes a token.'),
                @('--port', '-', 'The port (default 8787; 0: any that is free).'),
                @('--token', '-', 'What a request must bring (default: $QCTL_TOKEN, which no `ps` shows).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'dlq' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'Also those that were reviewed.'),
                @('-a', '', 'Also those that were reviewed.'),
                @('--limit', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
                @('list', 'List dead letters.'),
                @('groups', 'Group dead letters by their error.'),
                @('show', 'Show a dead letter whole.'),
                @('note', 'Write a note on dead letters.'),
                @('review', 'Mark dead letters as reviewed.'),
                @('edit', 'Change the payload of dead jobs, before a replay.'),
                @('replay', 'Send dead letters back to the queue.'),
                @('export', 'Print dead letters whole, as NDJSON.'),
                @('discard', 'Delete dead letters and their jobs.')
            )
            Arguments = @()
            Tail = $false
        }
        'dlq list' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'Also those that were reviewed.'),
                @('-a', '', 'Also those that were reviewed.'),
                @('--limit', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'dlq groups' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'Also those that were reviewed.'),
                @('-a', '', 'Also those that were reviewed.'),
                @('--limit', '-', 'At most so many, the largest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, the largest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'dlq show' = @{
            Options = @(
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead')
            Tail = $false
        }
        'dlq note' = @{
            Options = @(
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead...')
            Tail = $false
        }
        'dlq review' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'All that are not reviewed.'),
                @('-a', '', 'All that are not reviewed.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead...')
            Tail = $false
        }
        'dlq edit' = @{
            Options = @(
                @('--set', '-', 'Set a value; := takes JSON. May be repeated.'),
                @('--payload', '-', 'A new payload: JSON, @FILE, or - for stdin.'),
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'All that are not reviewed.'),
                @('-a', '', 'All that are not reviewed.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead...')
            Tail = $false
        }
        'dlq replay' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'All that are not reviewed.'),
                @('-a', '', 'All that are not reviewed.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--rate', '-', 'So many at the most: 5/s, 100/m.'),
                @('--canary', '-', 'Replay N first, and go on when they have ended well.'),
                @('--abort-if', '-', 'Stop when more than this share of them dies again (default 0).'),
                @('--wait-timeout', '-', 'Wait no longer for the first ones; then exit 124.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead...')
            Tail = $false
        }
        'dlq export' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'Also those that were reviewed.'),
                @('-a', '', 'Also those that were reviewed.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'dlq discard' = @{
            Options = @(
                @('--status', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('-s', '=pending blocked processing completed failed cancelled', 'Only jobs in this status; may be repeated.'),
                @('--type', 'types', 'Only jobs of this type; may be repeated.'),
                @('-t', 'types', 'Only jobs of this type; may be repeated.'),
                @('--queue', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('-q', 'queues', 'Only jobs of this queue; may be repeated.'),
                @('--tag', 'tags', 'Only jobs with this tag; may be repeated.'),
                @('--key', '-', 'Only jobs with this key; may be repeated.'),
                @('--since', '-', 'Only jobs created since: 1h, today 09:00, 2026-10-13.'),
                @('--until', '-', 'Only jobs created until.'),
                @('--search', '-', 'Only jobs with this text in type, payload, command or error.'),
                @('--error', '-', 'Only jobs with this text in their error.'),
                @('--group', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('-g', '-', 'Only letters with this error, as `dlq groups` names it.'),
                @('--all', '', 'All that are not reviewed.'),
                @('-a', '', 'All that are not reviewed.'),
                @('--dry-run', '', 'Only list the jobs that it would touch.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('dead...')
            Tail = $false
        }
        'cron' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
                @('add', 'Add a recurring job.'),
                @('list', 'List the schedules.'),
                @('show', 'Show a schedule whole.'),
                @('next', 'Show the next ticks of a schedule.'),
                @('pause', 'Let schedules rest.'),
                @('resume', 'Let schedules tick again, from the next tick on.'),
                @('run', 'Make a job of a schedule now; prints its number.'),
                @('remove', 'Delete schedules; their jobs stay.')
            )
            Arguments = @()
            Tail = $false
        }
        'cron add' = @{
            Options = @(
                @('--name', '-', 'What to call it (default: the type, made unique).'),
                @('--tz', '-', 'The time zone it goes by, such as Europe/Berlin (default: that of this machine).'),
                @('--catch-up', '=latest all none', 'Ticks missed in a downtime: latest (default), all (100 at most) or none.'),
                @('--overlap', '=skip allow', 'While an earlier job has not ended: skip the tick (default), or allow.'),
                @('--seconds', '', 'The expression has a sixth field, the seconds, at its end.'),
                @('--shell', '-', 'Run a line with /bin/sh -c.'),
                @('--priority', '=low normal high critical', 'low, normal, high, critical or a number (default 0).'),
                @('-p', '=low normal high critical', 'low, normal, high, critical or a number (default 0).'),
                @('--queue', 'queues', 'The queue of its jobs (default: default).'),
                @('-q', 'queues', 'The queue of its jobs (default: default).'),
                @('--tag', 'tags', 'A tag for its jobs; may be repeated.'),
                @('--max-attempts', '-', 'Attempts before a job becomes a dead letter (default 5).'),
                @('--backoff', '-', 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'),
                @('--timeout', '-', 'Longest time of an attempt (default 24h; none: no limit).'),
                @('--cwd', 'dir', 'Where a command runs (default: here).'),
                @('--env', '-', 'A variable for a command; NAME alone: its value here.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types...')
            Tail = $true
        }
        'cron list' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'cron show' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules')
            Tail = $false
        }
        'cron next' = @{
            Options = @(
                @('--after', '-', 'Those after this time (default: now).'),
                @('--count', '-', 'How many (default 5).'),
                @('-n', '-', 'How many (default 5).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules')
            Tail = $false
        }
        'cron pause' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules...')
            Tail = $false
        }
        'cron resume' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules...')
            Tail = $false
        }
        'cron run' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules...')
            Tail = $false
        }
        'cron remove' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('schedules...')
            Tail = $false
        }
        'flow' = @{
            Options = @(
                @('--limit', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
                @('run', 'Enqueue a flow, whole or not at all; prints its number.'),
                @('list', 'List flows.'),
                @('show', 'Show a flow and its steps.'),
                @('cancel', 'Cancel what has not ended of a flow.'),
                @('replay', 'Run a flow again from its failed steps on.')
            )
            Arguments = @()
            Tail = $false
        }
        'flow run' = @{
            Options = @(
                @('--set', '-', 'A value over that in [vars]; may be repeated.'),
                @('--on-failure', '-', 'Run this step, once no other can go on, if one has failed.'),
                @('--wait', '', 'Wait for its end; exit 1 if it did not complete.'),
                @('-w', '', 'Wait for its end; exit 1 if it did not complete.'),
                @('--follow', '', 'Wait, and show it as it goes on: a tree, in a pipe a line for each change.'),
                @('-f', '', 'Wait, and show it as it goes on: a tree, in a pipe a line for each change.'),
                @('--wait-timeout', '-', 'Wait no longer than this; then exit 124.'),
                @('--dry-run', '', 'Check it, and store nothing.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('file')
            Tail = $false
        }
        'flow list' = @{
            Options = @(
                @('--limit', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('-n', '-', 'At most so many, newest first (default 20; 0: all).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'flow show' = @{
            Options = @(
                @('--all', '', 'Every step, also beyond 200 lines.'),
                @('-a', '', 'Every step, also beyond 200 lines.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $false
        }
        'flow cancel' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $false
        }
        'flow replay' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $false
        }
        'types' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
                @('list', 'List what is set for types and queues.'),
                @('set', 'Say what holds for all jobs of a type.'),
                @('unset', 'Take back what was set for a type.')
            )
            Arguments = @()
            Tail = $false
        }
        'types list' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'types set' = @{
            Options = @(
                @('--queue', 'queues', 'A queue instead of a type: its limits.'),
                @('-q', 'queues', 'A queue instead of a type: its limits.'),
                @('--timeout', '-', 'Longest time of an attempt (none: no limit).'),
                @('--max-attempts', '-', 'Attempts before a job becomes a dead letter.'),
                @('--backoff', '-', 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'),
                @('--priority', '=low normal high critical', 'low, normal, high, critical or a number, for jobs enqueued from now on.'),
                @('-p', '=low normal high critical', 'low, normal, high, critical or a number, for jobs enqueued from now on.'),
                @('--output-limit', '-', 'Bytes kept of what a job writes, head and tail.'),
                @('--retention', '-', 'How long completed jobs are kept, whatever `purge` does to others.'),
                @('--command', '-', 'The program that runs its jobs, in any worker; payload on stdin.'),
                @('--schema', 'file', 'JSON Schema of the payload; - for stdin, none for none.'),
                @('--rate', '-', 'Starts per second, minute or hour: 5/s, 30/m, 1000/h.'),
                @('--rate-burst', '-', 'Starts beyond the rate that may come at once.'),
                @('--rate-key', '-', 'Field of the payload; each of its values has the rate to itself.'),
                @('--concurrency', '-', 'Jobs that may run at once, over all workers.'),
                @('--concurrency-key', '-', 'Field of the payload; each of its values has that many.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types')
            Tail = $false
        }
        'types unset' = @{
            Options = @(
                @('--queue', 'queues', 'A queue instead of a type.'),
                @('-q', 'queues', 'A queue instead of a type.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('types...')
            Tail = $false
        }
        'once' = @{
            Options = @(
                @('--no-wait', '', 'If another process is at it, leave with 1 instead of waiting.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $true
        }
        'purge' = @{
            Options = @(
                @('--older-than', '-', 'Those that ended longer ago (default 7d).'),
                @('--status', '=completed failed cancelled', 'completed (default), failed or cancelled; may be repeated.'),
                @('-s', '=completed failed cancelled', 'completed (default), failed or cancelled; may be repeated.'),
                @('--keep', '-', 'Keep the newest N of each status all the same.'),
                @('--max-time', '-', 'Stop after this time; the next purge goes on.'),
                @('--dry-run', '', 'Only count.'),
                @('--yes', '', 'Do not ask.'),
                @('-y', '', 'Do not ask.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'backup' = @{
            Options = @(
                @('--force', '', 'Overwrite what is there.'),
                @('-f', '', 'Overwrite what is there.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('file')
            Tail = $false
        }
        'export' = @{
            Options = @(
                @('--output', '', 'With what jobs wrote.'),
                @('--force', '', 'Overwrite what is there.'),
                @('-f', '', 'Overwrite what is there.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('file')
            Tail = $false
        }
        'import' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('file...')
            Tail = $false
        }
        'doctor' = @{
            Options = @(
                @('--fix', '', 'Mend what can be mended safely.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'undo' = @{
            Options = @(
                @('--list', '', 'List what can be taken back.'),
                @('-l', '', 'List what can be taken back.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('-')
            Tail = $false
        }
        'demo' = @{
            Options = @(
                @('--orders', '-', 'With orders: how many customers come (default 48, at least 12).'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('=orders')
            Tail = $false
        }
        'init' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @()
            Tail = $false
        }
        'config' = @{
            Options = @(
                @('--unset', '', 'Back to the default.'),
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('settings', '-')
            Tail = $false
        }
        'completion' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('=bash zsh fish powershell')
            Tail = $false
        }
        'help' = @{
            Options = @(
                @('--db', 'file', 'The queue file (default: $QCTL_DB, else your data folder).'),
                @('--json', '', 'JSON: one object, or one a line for lists.'),
                @('--busy-timeout', '-', 'Wait so long for other writers (default 30s).'),
                @('--help', '', 'Show the help of a command.'),
                @('-h', '', 'Show the help of a command.')
            )
            Subs = @(
            )
            Arguments = @('topics...')
            Tail = $false
        }
    }

    # The words before the cursor, as they will be given to qctl.
    $words = @()
    foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.StartOffset -ge $cursorPosition -or
            ($wordToComplete -ne '' -and $element.Extent.EndOffset -ge $cursorPosition)) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $element.Extent.Text
        }
    }
    $program = $words[0]
    if (-not (Get-Command $program -ErrorAction Ignore)) { $program = 'qctl' }
    $words = @($words | Select-Object -Skip 1)

    function Find-Option($place, $name) {
        foreach ($option in $place.Options) { if ($option[0] -ceq $name) { return , $option } }
    }

    $path = ''
    $db = @()
    $free = 0
    $wanted = $null
    $wantedName = ''
    $plain = $false
    foreach ($word in $words) {
        $place = $places[$path]
        if ($null -ne $wanted) {
            if ($wantedName -ceq '--db') { $db = @('--db', $word) }
            $wanted = $null
        } elseif (-not $plain -and $word -ceq '--') {
            if ($place.Tail) { return }
            $plain = $true
        } elseif (-not $plain -and $word -clike '--db=*') {
            $db = @('--db', $word.Substring(5))
        } elseif (-not $plain -and $word -like '-?*') {
            $option = Find-Option $place $word
            if ($option -and $option[1] -cne '') {
                $wanted = $option[1]
                $wantedName = $word
            }
        } elseif ($place.Subs.Count) {
            $path = "$path $word".Trim()
            if (-not $places.ContainsKey($path)) { return }
        } else {
            $free += 1
        }
    }

    $place = $places[$path]
    $before = ''
    $typed = $wordToComplete.Trim("'", '"')
    $kind = $wanted
    if ($null -eq $kind -and -not $plain -and $typed -clike '--*=*') {
        $before = $typed.Substring(0, $typed.IndexOf('=') + 1)
        $option = Find-Option $place $before.TrimEnd('=')
        if (-not $option -or $option[1] -ceq '') { return }
        $kind = $option[1]
        $typed = $typed.Substring($before.Length)
    }

    $found = @()
    if ($null -eq $kind -and $place.Subs.Count -and $typed -notlike '-*') {
        $found = $place.Subs
    } elseif ($null -eq $kind -and -not $plain -and ($typed -like '-*' -or -not $place.Arguments.Count)) {
        $found = @($place.Options | ForEach-Object { , @($_[0], $_[2]) })
    } else {
        if ($null -eq $kind -and $place.Arguments.Count) {
            $kind = $place.Arguments[[Math]::Min($free, $place.Arguments.Count - 1)]
            if ($free -ge $place.Arguments.Count -and $kind -notlike '*...') { return }
            $kind = $kind -replace '\.\.\.$', ''
        }
        if ($kind -clike '=*') {
            $found = @($kind.Substring(1).Split(' ') | ForEach-Object { , @($_, $_) })
        } elseif ($kind -in @('file', 'dir', '-', '', $null)) {
            return  # PowerShell offers files by itself
        } else {
            $found = @(& $program @db _values $kind '--' $typed 2>$null | ForEach-Object {
                $value, $text = $_ -split "`t", 2
                , @($value, $(if ($text) { $text } else { $value }))
            })
        }
    }
    foreach ($entry in $found) {
        $value = $before + $entry[0]
        if (-not $entry[0].StartsWith($typed, [StringComparison]::Ordinal)) { continue }
        if ($value -match '[^\w.:/=+-]') { $value = "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($value, $entry[0], 'ParameterValue', $entry[1])
    }
}
