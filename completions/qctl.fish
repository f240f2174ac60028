# Completion of qctl for fish. Written by `qctl completion fish`: do not edit.
set -g __qctl_groups '' 'dlq' 'cron' 'flow' 'types'
set -g __qctl_tailed 'enqueue' 'cron add' 'once'
set -g __qctl_with_value
set -a __qctl_with_value ' --db' ' --busy-timeout'
set -a __qctl_with_value 'enqueue --shell' 'enqueue --in' 'enqueue -i' 'enqueue --at' 'enqueue --id' 'enqueue --payload' 'enqueue --max-attempts' 'enqueue --backoff' 'enqueue --timeout' 'enqueue --expires' 'enqueue --key' 'enqueue --key-for' 'enqueue --env' 'enqueue --wait-timeout' 'enqueue --busy-timeout' 'enqueue --from' 'enqueue --db' 'enqueue --priority' 'enqueue -p' 'enqueue --queue' 'enqueue -q' 'enqueue --tag' 'enqueue --type' 'enqueue -t' 'enqueue --after' 'enqueue --after-any' 'enqueue --after-failed' 'enqueue --cwd'
set -a __qctl_with_value 'work --concurrency' 'work -c' 'work --threads' 'work --coroutines' 'work --memory' 'work --max-jobs-per-child' 'work --max-jobs' 'work --max-time' 'work --grace' 'work --busy-timeout' 'work --queue' 'work -q' 'work --type' 'work -t' 'work --handlers' 'work -H' 'work --db' 'work --log-format'
set -a __qctl_with_value 'workers --db' 'workers --busy-timeout'
set -a __qctl_with_value 'list --status' 'list -s' 'list --type' 'list -t' 'list --queue' 'list -q' 'list --tag' 'list --key' 'list --since' 'list --until' 'list --search' 'list --flow' 'list --limit' 'list -n' 'list --busy-timeout' 'list --db'
set -a __qctl_with_value 'show --db' 'show --busy-timeout'
set -a __qctl_with_value 'logs --attempt' 'logs --busy-timeout' 'logs --db'
set -a __qctl_with_value 'wait --wait-timeout' 'wait --busy-timeout' 'wait --db'
set -a __qctl_with_value 'cancel --status' 'cancel -s' 'cancel --type' 'cancel -t' 'cancel --queue' 'cancel -q' 'cancel --tag' 'cancel --key' 'cancel --since' 'cancel --until' 'cancel --search' 'cancel --error' 'cancel --busy-timeout' 'cancel --db'
set -a __qctl_with_value 'retry --status' 'retry -s' 'retry --type' 'retry -t' 'retry --queue' 'retry -q' 'retry --tag' 'retry --key' 'retry --since' 'retry --until' 'retry --search' 'retry --error' 'retry --busy-timeout' 'retry --db'
set -a __qctl_with_value 'edit --payload' 'edit --in' 'edit -i' 'edit --at' 'edit --max-attempts' 'edit --backoff' 'edit --timeout' 'edit --busy-timeout' 'edit --priority' 'edit -p' 'edit --queue' 'edit -q' 'edit --tag' 'edit --db'
set -a __qctl_with_value 'explain --db' 'explain --busy-timeout'
set -a __qctl_with_value 'pause --queue' 'pause -q' 'pause --db' 'pause --busy-timeout'
set -a __qctl_with_value 'resume --queue' 'resume -q' 'resume --db' 'resume --busy-timeout'
set -a __qctl_with_value 'stats --since' 'stats --at' 'stats --busy-timeout' 'stats --type' 'stats -t' 'stats --db'
set -a __qctl_with_value 'health --max-pending' 'health --max-age' 'health --max-dead' 'health --max-failure-rate' 'health --max-running' 'health --max-unserved' 'health --max-overdue' 'health --max-silence' 'health --max-wal' 'health --min-disk' 'health --busy-timeout' 'health --db'
set -a __qctl_with_value 'assert --wait' 'assert --busy-timeout' 'assert --db'
set -a __qctl_with_value 'forecast --workers' 'forecast --since' 'forecast --busy-timeout' 'forecast --db'
set -a __qctl_with_value 'events --since' 'events --busy-timeout' 'events --type' 'events -t' 'events --db'
set -a __qctl_with_value 'serve --host' 'serve --port' 'serve --token' 'serve --busy-timeout' 'serve --db'
set -a __qctl_with_value 'dlq --status' 'dlq -s' 'dlq --type' 'dlq -t' 'dlq --queue' 'dlq -q' 'dlq --tag' 'dlq --key' 'dlq --since' 'dlq --until' 'dlq --search' 'dlq --error' 'dlq --group' 'dlq -g' 'dlq --limit' 'dlq -n' 'dlq --busy-timeout' 'dlq --db'
set -a __qctl_with_value 'dlq list --status' 'dlq list -s' 'dlq list --type' 'dlq list -t' 'dlq list --queue' 'dlq list -q' 'dlq list --tag' 'dlq list --key' 'dlq list --since' 'dlq list --until' 'dlq list --search' 'dlq list --error' 'dlq list --group' 'dlq list -g' 'dlq list --limit' 'dlq list -n' 'dlq list --busy-timeout' 'dlq list --db'
set -a __qctl_with_value 'dlq groups --status' 'dlq groups -s' 'dlq groups --type' 'dlq groups -t' 'dlq groups --queue' 'dlq groups -q' 'dlq groups --tag' 'dlq groups --key' 'dlq groups --since' 'dlq groups --until' 'dlq groups --search' 'dlq groups --error' 'dlq groups --group' 'dlq groups -g' 'dlq groups --limit' 'dlq groups -n' 'dlq groups --busy-timeout' 'dlq groups --db'
set -a __qctl_with_value 'dlq show --group' 'dlq show -g' 'dlq show --busy-timeout' 'dlq show --db'
set -a __qctl_with_value 'dlq note --group' 'dlq note -g' 'dlq note --busy-timeout' 'dlq note --db'
set -a __qctl_with_value 'dlq review --status' 'dlq review -s' 'dlq review --type' 'dlq review -t' 'dlq review --queue' 'dlq review -q' 'dlq review --tag' 'dlq review --key' 'dlq review --since' 'dlq review --until' 'dlq review --search' 'dlq review --error' 'dlq review --group' 'dlq review -g' 'dlq review --busy-timeout' 'dlq review --db'
set -a __qctl_with_value 'dlq edit --set' 'dlq edit --payload' 'dlq edit --key' 'dlq edit --since' 'dlq edit --until' 'dlq edit --search' 'dlq edit --error' 'dlq edit --group' 'dlq edit -g' 'dlq edit --busy-timeout' 'dlq edit --status' 'dlq edit -s' 'dlq edit --type' 'dlq edit -t' 'dlq edit --queue' 'dlq edit -q' 'dlq edit --tag' 'dlq edit --db'
set -a __qctl_with_value 'dlq replay --status' 'dlq replay -s' 'dlq replay --type' 'dlq replay -t' 'dlq replay --queue' 'dlq replay -q' 'dlq replay --tag' 'dlq replay --key' 'dlq replay --since' 'dlq replay --until' 'dlq replay --search' 'dlq replay --error' 'dlq replay --group' 'dlq replay -g' 'dlq replay --rate' 'dlq replay --canary' 'dlq replay --abort-if' 'dlq replay --wait-timeout' 'dlq replay --busy-timeout' 'dlq replay --db'
set -a __qctl_with_value 'dlq export --status' 'dlq export -s' 'dlq export --type' 'dlq export -t' 'dlq export --queue' 'dlq export -q' 'dlq export --tag' 'dlq export --key' 'dlq export --since' 'dlq export --until' 'dlq export --search' 'dlq export --error' 'dlq export --group' 'dlq export -g' 'dlq export --busy-timeout' 'dlq export --db'
set -a __qctl_with_value 'dlq discard --status' 'dlq discard -s' 'dlq discard --type' 'dlq discard -t' 'dlq discard --queue' 'dlq discard -q' 'dlq discard --tag' 'dlq discard --key' 'dlq discard --since' 'dlq discard --until' 'dlq discard --search' 'dlq discard --error' 'dlq discard --group' 'dlq discard -g' 'dlq discard --busy-timeout' 'dlq discard --db'
set -a __qctl_with_value 'cron --db' 'cron --busy-timeout'
set -a __qctl_with_value 'cron add --name' 'cron add --tz' 'cron add --shell' 'cron add --max-attempts' 'cron add --backoff' 'cron add --timeout' 'cron add --env' 'cron add --busy-timeout' 'cron add --catch-up' 'cron add --overlap' 'cron add --priority' 'cron add -p' 'cron add --queue' 'cron add -q' 'cron add --tag' 'cron add --cwd' 'cron add --db'
set -a __qctl_with_value 'cron list --db' 'cron list --busy-timeout'
set -a __qctl_with_value 'cron show --db' 'cron show --busy-timeout'
set -a __qctl_with_value 'cron next --after' 'cron next --count' 'cron next -n' 'cron next --busy-timeout' 'cron next --db'
set -a __qctl_with_value 'cron pause --db' 'cron pause --busy-timeout'
set -a __qctl_with_value 'cron resume --db' 'cron resume --busy-timeout'
set -a __qctl_with_value 'cron run --db' 'cron run --busy-timeout'
set -a __qctl_with_value 'cron remove --db' 'cron remove --busy-timeout'
set -a __qctl_with_value 'flow --limit' 'flow -n' 'flow --busy-timeout' 'flow --db'
set -a __qctl_with_value 'flow run --set' 'flow run --on-failure' 'flow run --wait-timeout' 'flow run --busy-timeout' 'flow run --db'
set -a __qctl_with_value 'flow list --limit' 'flow list -n' 'flow list --busy-timeout' 'flow list --db'
set -a __qctl_with_value 'flow show --db' 'flow show --busy-timeout'
set -a __qctl_with_value 'flow cancel --db' 'flow cancel --busy-timeout'
set -a __qctl_with_value 'flow replay --db' 'flow replay --busy-timeout'
set -a __qctl_with_value 'types --db' 'types --busy-timeout'
set -a __qctl_with_value 'types list --db' 'types list --busy-timeout'
set -a __qctl_with_value 'types set --queue' 'types set -q' 'types set --timeout' 'types set --max-attempts' 'types set --backoff' 'types set --output-limit' 'types set --retention' 'types set --command' 'types set --rate' 'types set --rate-burst' 'types set --rate-key' 'types set --concurrency' 'types set --concurrency-key' 'types set --busy-timeout' 'types set --priority' 'types set -p' 'types set --schema' 'types set --db'
set -a __qctl_with_value 'types unset --queue' 'types unset -q' 'types unset --db' 'types unset --busy-timeout'
set -a __qctl_with_value 'once --db' 'once --busy-timeout'
set -a __qctl_with_value 'purge --older-than' 'purge --keep' 'purge --max-time' 'purge --busy-timeout' 'purge --status' 'purge -s' 'purge --db'
set -a __qctl_with_value 'backup --db' 'backup --busy-timeout'
set -a __qctl_with_value 'export --db' 'export --busy-timeout'
set -a __qctl_with_value 'import --db' 'import --busy-timeout'
set -a __qctl_with_value 'doctor --db' 'doctor --busy-timeout'
set -a __qctl_with_value 'undo --db' 'undo --busy-timeout'
set -a __qctl_with_value 'demo --orders' 'demo --busy-timeout' 'demo --db'
set -a __qctl_with_value 'init --db' 'init --busy-timeout'
set -a __qctl_with_value 'config --db' 'config --busy-timeout'
set -a __qctl_with_value 'completion --db' 'completion --busy-timeout'
set -a __qctl_with_value 'help --db' 'help --busy-timeout'

# The place on the line: its command, `--` after it when the command to run begins; then how many arguments there are.
function __qctl_scan
    set -l words (commandline -opc)
    set -e words[1]
    set -l path ''
    set -l free 0
    set -l plain 0
    set -l wanted 0
    for word in $words
        if test $wanted = 1
            set wanted 0
            continue
        end
        if test $plain = 0; and string match -q -- '-?*' $word
            if test $word = --
                set plain 1
                if contains -- "$path" $__qctl_tailed
                    set path "$path --"
                    break
                end
            else if contains -- "$path $word" $__qctl_with_value
                set wanted 1
            end
        else if contains -- "$path" $__qctl_groups
            set path (string trim -- "$path $word")
        else
            set free (math $free + 1)
        end
    end
    echo $path
    echo $free
end

# Whether the line is at a place, and, when $argv[2] is given, at its argument of that number (N+: or a later one).
function __qctl_at
    set -l scan (__qctl_scan)
    test "$scan[1]" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            return 0
        case '*+'
            test $scan[2] -ge (string trim -c + -- $argv[2])
        case '*'
            test $scan[2] = $argv[2]
    end
end

function __qctl_values
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    type -q -- $program; or set program qctl
    set -l db
    for index in (seq (count $words))
        if string match -q -- '--db=*' $words[$index]
            set db --db (string replace -- --db= '' $words[$index])
        else if test $words[$index] = --db -a $index -lt (count $words)
            set db --db $words[(math $index + 1)]
        end
    end
    if set -q db[1]
        set db (string replace -r '^~/' "$HOME/" -- $db)
    end
    set -l start (string replace -r '^--?[^=]*=' '' -- (commandline -ct))
    $program $db _values $argv[1] -- "$start" 2>/dev/null
end

# The command after --: as if it stood alone.
function __qctl_command
    set -l words (commandline -opc)
    set -l cut (contains -i -- -- $words)
    set -e words[1..$cut]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c qctl -f
complete -c qctl -n '__qctl_at "enqueue --"' -a '(__qctl_command)'
complete -c qctl -n '__qctl_at "cron add --"' -a '(__qctl_command)'
complete -c qctl -n '__qctl_at "once --"' -a '(__qctl_command)'

# qctl
complete -c qctl -n '__qctl_at \'\'' -a enqueue -d 'Put a job into the queue: a typed job, or a command'
complete -c qctl -n '__qctl_at \'\'' -a work -d 'Run jobs: a worker'
complete -c qctl -n '__qctl_at \'\'' -a workers -d 'List workers, and what each runs'
complete -c qctl -n '__qctl_at \'\'' -a list -d 'List jobs'
complete -c qctl -n '__qctl_at \'\'' -a show -d 'Show a job and its history'
complete -c qctl -n '__qctl_at \'\'' -a logs -d 'Print what a job wrote'
complete -c qctl -n '__qctl_at \'\'' -a wait -d 'Wait until jobs have ended'
complete -c qctl -n '__qctl_at \'\'' -a cancel -d 'Cancel jobs'
complete -c qctl -n '__qctl_at \'\'' -a retry -d 'Run jobs now: again, or before their time'
complete -c qctl -n '__qctl_at \'\'' -a edit -d 'Change a job that has not ended'
complete -c qctl -n '__qctl_at \'\'' -a explain -d 'Say why a job is not running, and what would let it'
complete -c qctl -n '__qctl_at \'\'' -a pause -d 'Start no more jobs of a type, a queue, or at all; what runs goes on'
complete -c qctl -n '__qctl_at \'\'' -a resume -d 'Let jobs start again that were paused'
complete -c qctl -n '__qctl_at \'\'' -a stats -d 'Show how the queue does'
complete -c qctl -n '__qctl_at \'\'' -a health -d 'Say whether the queue is healthy, by exit code'
complete -c qctl -n '__qctl_at \'\'' -a assert -d 'Check what must hold of the queue, by exit code'
complete -c qctl -n '__qctl_at \'\'' -a forecast -d 'Say when the queue will be empty'
complete -c qctl -n '__qctl_at \'\'' -a events -d 'Print what happened to jobs, as NDJSON'
complete -c qctl -n '__qctl_at \'\'' -a serve -d 'Serve the figures over HTTP: a page, health, metrics'
complete -c qctl -n '__qctl_at \'\'' -a dlq -d 'Inspect and replay dead letters'
complete -c qctl -n '__qctl_at \'\'' -a cron -d 'Recurring jobs: add, list and steer schedules'
complete -c qctl -n '__qctl_at \'\'' -a flow -d 'Run jobs as steps that wait for one another'
complete -c qctl -n '__qctl_at \'\'' -a types -d 'Set what holds for all jobs of a type'
complete -c qctl -n '__qctl_at \'\'' -a once -d 'Run a command here, unless it was done before'
complete -c qctl -n '__qctl_at \'\'' -a purge -d 'Delete jobs that ended long ago'
complete -c qctl -n '__qctl_at \'\'' -a backup -d 'Copy the queue file while workers run; the copy is whole and checked'
complete -c qctl -n '__qctl_at \'\'' -a export -d 'Write all that is in the queue as NDJSON'
complete -c qctl -n '__qctl_at \'\'' -a import -d 'Take in what was exported, or whole queue files; what is there stays'
complete -c qctl -n '__qctl_at \'\'' -a doctor -d 'Look for what is wrong with the queue file and its place'
complete -c qctl -n '__qctl_at \'\'' -a undo -d 'Take back the latest cancel, retry, edit, replay or discard'
complete -c qctl -n '__qctl_at \'\'' -a demo -d 'See all of it at work, on a queue file of its own'
complete -c qctl -n '__qctl_at \'\'' -a init -d 'Make a queue file, or add a queue to an SQLite database'
complete -c qctl -n '__qctl_at \'\'' -a config -d 'Show or change settings of the queue'
complete -c qctl -n '__qctl_at \'\'' -a completion -d 'Print the completion script of a shell'
complete -c qctl -n '__qctl_at \'\'' -a help -d 'Explain a topic'
complete -c qctl -n '__qctl_at \'\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'\'' -l version -s V -d 'Show the version.'

# enqueue
complete -c qctl -n '__qctl_at \'enqueue\'' -l shell -r -f -d 'Run a line with /bin/sh -c.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l from -r -F -d 'Many jobs: NDJSON from a file, or - for stdin.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l atomic -d 'With --from: all lines or none.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l priority -s p -r -f -a 'low normal high critical' -d 'low, normal, high, critical or a number (default 0).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l in -s i -r -f -d 'Run after a delay: 30s, 5m, 2h, 1d12h.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l at -r -f -d 'Run at a time: 18:00, \'tomorrow 09:00\', 2027-01-31T12:00Z.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'The queue it belongs to (default: default).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l tag -r -f -a '(__qctl_values tags)' -d 'A tag to find it by; may be repeated.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l id -r -f -d 'An id of your own; each can be used once.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'The type of a command (default: command).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l payload -r -f -d 'Payload of a command, given to it on stdin.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l max-attempts -r -f -d 'Attempts before it becomes a dead letter (default 5).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l backoff -r -f -d 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'
complete -c qctl -n '__qctl_at \'enqueue\'' -l timeout -r -f -d 'Longest time of an attempt (default 24h; none: no limit).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l expires -r -f -d 'Cancel it if it has not started by then.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l key -r -f -d 'While an unfinished job has this key, print that job\'s number instead.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l key-for -r -f -d 'With --key: also if it was enqueued within so long and has ended.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l after -r -f -k -a '(__qctl_values jobs)' -d 'Run after these have completed: 1036, 1040-1050, 7,9.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l after-any -r -f -k -a '(__qctl_values jobs)' -d 'Run after these have ended, however.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l after-failed -r -f -k -a '(__qctl_values jobs)' -d 'Run after these have failed for good.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l cwd -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Where a command runs (default: here).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l env -r -f -d 'A variable for a command; NAME alone: its value here.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l wait -s w -d 'Wait for the end; exit 1 if the job failed.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l follow -s f -d 'Like --wait, and show what it writes.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l wait-timeout -r -f -d 'Wait no longer than this; then exit 124.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l exit-code -d 'With --wait: leave with the command\'s own status.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l now -d 'Inside a job: whatever becomes of that job, and not with its completion.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l dry-run -d 'Check it and show what would be stored.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'enqueue\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'enqueue\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'enqueue\' 0' -f -a '(__qctl_values types)'
complete -c qctl -n '__qctl_at \'enqueue\' 1+' -F

# work
complete -c qctl -n '__qctl_at \'work\'' -l concurrency -s c -r -f -d 'Jobs at the same time (default 1).'
complete -c qctl -n '__qctl_at \'work\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'work\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'work\'' -l handlers -s H -r -F -d 'Python handlers: a module, or a file.py; may be repeated.'
complete -c qctl -n '__qctl_at \'work\'' -l threads -r -f -d 'Run N plain handlers at once as threads of one process (for waiting, not for work).'
complete -c qctl -n '__qctl_at \'work\'' -l coroutines -r -f -d 'Run so many async handlers at once in one process (default 100).'
complete -c qctl -n '__qctl_at \'work\'' -l memory -r -f -d 'Address space that a job\'s process may have: 512m, 2g.'
complete -c qctl -n '__qctl_at \'work\'' -l max-jobs-per-child -r -f -d 'Replace a handler process after so many jobs.'
complete -c qctl -n '__qctl_at \'work\'' -l once -d 'Stop when nothing is due.'
complete -c qctl -n '__qctl_at \'work\'' -l drain -d 'Stop when nothing is left to run, retries and delayed jobs included; exit 1 if jobs died.'
complete -c qctl -n '__qctl_at \'work\'' -l max-jobs -r -f -d 'Stop after so many jobs.'
complete -c qctl -n '__qctl_at \'work\'' -l max-time -r -f -d 'Stop after this time.'
complete -c qctl -n '__qctl_at \'work\'' -l grace -r -f -d 'How long running jobs may take to end when it is stopped (default 30s).'
complete -c qctl -n '__qctl_at \'work\'' -l log-format -r -f -a 'text json' -d 'text or json, on stderr.'
complete -c qctl -n '__qctl_at \'work\'' -l quiet -d 'No line per event.'
complete -c qctl -n '__qctl_at \'work\'' -l verbose -s v -d 'Show the traceback of handlers that cannot be loaded.'
complete -c qctl -n '__qctl_at \'work\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'work\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'work\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'work\'' -l help -s h -d 'Show the help of a command.'

# workers
complete -c qctl -n '__qctl_at \'workers\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'workers\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'workers\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'workers\'' -l help -s h -d 'Show the help of a command.'

# list
complete -c qctl -n '__qctl_at \'list\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'list\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'list\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'list\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'list\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'list\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'list\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'list\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'list\'' -l flow -r -f -d 'Only the steps of this flow.'
complete -c qctl -n '__qctl_at \'list\'' -l limit -s n -r -f -d 'At most so many, newest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'list\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'list\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'list\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'list\'' -l help -s h -d 'Show the help of a command.'

# show
complete -c qctl -n '__qctl_at \'show\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'show\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'show\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'show\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'show\' 0' -f -k -a '(__qctl_values jobs)'

# logs
complete -c qctl -n '__qctl_at \'logs\'' -l follow -s f -d 'Go on until the job has ended.'
complete -c qctl -n '__qctl_at \'logs\'' -l attempt -r -f -d 'The output of this attempt (default: the latest).'
complete -c qctl -n '__qctl_at \'logs\'' -l stdout -d 'Only what it wrote to stdout.'
complete -c qctl -n '__qctl_at \'logs\'' -l stderr -d 'Only what it wrote to stderr.'
complete -c qctl -n '__qctl_at \'logs\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'logs\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'logs\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'logs\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'logs\' 0' -f -k -a '(__qctl_values jobs)'

# wait
complete -c qctl -n '__qctl_at \'wait\'' -l wait-timeout -r -f -d 'Wait no longer than this; then exit 124.'
complete -c qctl -n '__qctl_at \'wait\'' -l fail-fast -d 'Leave as soon as one has failed.'
complete -c qctl -n '__qctl_at \'wait\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'wait\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'wait\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'wait\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'wait\' 0+' -f -k -a '(__qctl_values jobs)'

# cancel
complete -c qctl -n '__qctl_at \'cancel\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'cancel\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'cancel\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'cancel\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'cancel\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'cancel\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'cancel\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'cancel\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'cancel\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'cancel\'' -l cascade -d 'Cancel also the blocked jobs that could not run without them.'
complete -c qctl -n '__qctl_at \'cancel\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'cancel\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'cancel\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cancel\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cancel\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cancel\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cancel\' 0+' -f -k -a '(__qctl_values jobs)'

# retry
complete -c qctl -n '__qctl_at \'retry\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'retry\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'retry\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'retry\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'retry\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'retry\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'retry\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'retry\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'retry\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'retry\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'retry\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'retry\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'retry\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'retry\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'retry\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'retry\' 0+' -f -k -a '(__qctl_values jobs)'

# edit
complete -c qctl -n '__qctl_at \'edit\'' -l payload -r -f -d 'A new payload: JSON, @FILE, or - for stdin.'
complete -c qctl -n '__qctl_at \'edit\'' -l priority -s p -r -f -a 'low normal high critical' -d 'low, normal, high, critical or a number.'
complete -c qctl -n '__qctl_at \'edit\'' -l in -s i -r -f -d 'Run after a delay from now.'
complete -c qctl -n '__qctl_at \'edit\'' -l at -r -f -d 'Run at a time.'
complete -c qctl -n '__qctl_at \'edit\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Move it to a queue.'
complete -c qctl -n '__qctl_at \'edit\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Its tags from now on; may be repeated.'
complete -c qctl -n '__qctl_at \'edit\'' -l max-attempts -r -f -d 'Attempts before it becomes a dead letter.'
complete -c qctl -n '__qctl_at \'edit\'' -l backoff -r -f -d 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'
complete -c qctl -n '__qctl_at \'edit\'' -l timeout -r -f -d 'Longest time of an attempt; none: no limit.'
complete -c qctl -n '__qctl_at \'edit\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'edit\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'edit\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'edit\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'edit\' 0' -f -k -a '(__qctl_values jobs)'

# explain
complete -c qctl -n '__qctl_at \'explain\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'explain\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'explain\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'explain\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'explain\' 0' -f -k -a '(__qctl_values jobs)'

# pause
complete -c qctl -n '__qctl_at \'pause\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'A queue; may be repeated.'
complete -c qctl -n '__qctl_at \'pause\'' -l all -d 'Everything.'
complete -c qctl -n '__qctl_at \'pause\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'pause\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'pause\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'pause\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'pause\' 0+' -f -a '(__qctl_values types)'

# resume
complete -c qctl -n '__qctl_at \'resume\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'A queue; may be repeated.'
complete -c qctl -n '__qctl_at \'resume\'' -l all -d 'Everything.'
complete -c qctl -n '__qctl_at \'resume\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'resume\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'resume\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'resume\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'resume\' 0+' -f -a '(__qctl_values types)'

# stats
complete -c qctl -n '__qctl_at \'stats\'' -l since -r -f -d 'The window of rates and percentiles (default 1h).'
complete -c qctl -n '__qctl_at \'stats\'' -l at -r -f -d 'As it was then: 2h (ago), 09:00, yesterday 09:00. Rates go by whole minutes.'
complete -c qctl -n '__qctl_at \'stats\'' -l watch -s w -d 'Full screen and live; ? shows the keys.'
complete -c qctl -n '__qctl_at \'stats\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only this type; may be repeated.'
complete -c qctl -n '__qctl_at \'stats\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'stats\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'stats\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'stats\'' -l help -s h -d 'Show the help of a command.'

# health
complete -c qctl -n '__qctl_at \'health\'' -l max-pending -r -f -d 'Pending jobs above this are an issue (default 1000).'
complete -c qctl -n '__qctl_at \'health\'' -l max-age -r -f -d 'A due job older than this is an issue (default 30m).'
complete -c qctl -n '__qctl_at \'health\'' -l max-dead -r -f -d 'Unreviewed dead letters above this are an issue (default 10).'
complete -c qctl -n '__qctl_at \'health\'' -l max-failure-rate -r -f -d 'Failing attempts of the last hour: 20% (default off).'
complete -c qctl -n '__qctl_at \'health\'' -l max-running -r -f -d 'A job that runs longer is an issue (default 24h).'
complete -c qctl -n '__qctl_at \'health\'' -l max-unserved -r -f -d 'A due job that no live worker can run (default off).'
complete -c qctl -n '__qctl_at \'health\'' -l max-overdue -r -f -d 'A schedule that is later to fire (default off).'
complete -c qctl -n '__qctl_at \'health\'' -l max-silence -r -f -d 'A worker that is silent for longer (default 5m).'
complete -c qctl -n '__qctl_at \'health\'' -l max-wal -r -f -d 'A write-ahead log that is larger (default 1g).'
complete -c qctl -n '__qctl_at \'health\'' -l min-disk -r -f -d 'Less free disk space is an issue (default 64m).'
complete -c qctl -n '__qctl_at \'health\'' -l nagios -d 'One line as monitoring plugins print it, with performance data.'
complete -c qctl -n '__qctl_at \'health\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'health\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'health\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'health\'' -l help -s h -d 'Show the help of a command.'

# assert
complete -c qctl -n '__qctl_at \'assert\'' -l wait -r -f -d 'Wait so long for it to become true.'
complete -c qctl -n '__qctl_at \'assert\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'assert\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'assert\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'assert\'' -l help -s h -d 'Show the help of a command.'

# forecast
complete -c qctl -n '__qctl_at \'forecast\'' -l workers -r -f -d 'With N jobs at once, instead of as many as now.'
complete -c qctl -n '__qctl_at \'forecast\'' -l since -r -f -d 'Go by the last so long (default 1h).'
complete -c qctl -n '__qctl_at \'forecast\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'forecast\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'forecast\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'forecast\'' -l help -s h -d 'Show the help of a command.'

# events
complete -c qctl -n '__qctl_at \'events\'' -l since -r -f -d 'From then on: 1h, 09:00, 2026-10-13 (default 1h; with -f: now).'
complete -c qctl -n '__qctl_at \'events\'' -l follow -s f -d 'Go on as it happens.'
complete -c qctl -n '__qctl_at \'events\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'events\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'events\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'events\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'events\'' -l help -s h -d 'Show the help of a command.'

# serve
complete -c qctl -n '__qctl_at \'serve\'' -l host -r -f -d 'Where to listen (default 127.0.0.1); elsewhere than loopback takes a token.'
complete -c qctl -n '__qctl_at \'serve\'' -l port -r -f -d 'The port (default 8787; 0: any that is free).'
complete -c qctl -n '__qctl_at \'serve\'' -l token -r -f -d 'What a request must bring (default: $QCTL_TOKEN, which no `ps` shows).'
complete -c qctl -n '__qctl_at \'serve\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'serve\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'serve\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'serve\'' -l help -s h -d 'Show the help of a command.'

# dlq
complete -c qctl -n '__qctl_at \'dlq\'' -a list -d 'List dead letters'
complete -c qctl -n '__qctl_at \'dlq\'' -a groups -d 'Group dead letters by their error'
complete -c qctl -n '__qctl_at \'dlq\'' -a show -d 'Show a dead letter whole'
complete -c qctl -n '__qctl_at \'dlq\'' -a note -d 'Write a note on dead letters'
complete -c qctl -n '__qctl_at \'dlq\'' -a review -d 'Mark dead letters as reviewed'
complete -c qctl -n '__qctl_at \'dlq\'' -a edit -d 'Change the payload of dead jobs, before a replay'
complete -c qctl -n '__qctl_at \'dlq\'' -a replay -d 'Send dead letters back to the queue'
complete -c qctl -n '__qctl_at \'dlq\'' -a export -d 'Print dead letters whole, as NDJSON'
complete -c qctl -n '__qctl_at \'dlq\'' -a discard -d 'Delete dead letters and their jobs'
complete -c qctl -n '__qctl_at \'dlq\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq\'' -l all -s a -d 'Also those that were reviewed.'
complete -c qctl -n '__qctl_at \'dlq\'' -l limit -s n -r -f -d 'At most so many, newest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'dlq\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq\'' -l help -s h -d 'Show the help of a command.'

# dlq list
complete -c qctl -n '__qctl_at \'dlq list\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l all -s a -d 'Also those that were reviewed.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l limit -s n -r -f -d 'At most so many, newest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'dlq list\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq list\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq list\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq list\'' -l help -s h -d 'Show the help of a command.'

# dlq groups
complete -c qctl -n '__qctl_at \'dlq groups\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l all -s a -d 'Also those that were reviewed.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l limit -s n -r -f -d 'At most so many, the largest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq groups\'' -l help -s h -d 'Show the help of a command.'

# dlq show
complete -c qctl -n '__qctl_at \'dlq show\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq show\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq show\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq show\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq show\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq show\' 0' -f -k -a '(__qctl_values dead)'

# dlq note
complete -c qctl -n '__qctl_at \'dlq note\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq note\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq note\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq note\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq note\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq note\' 0+' -f -k -a '(__qctl_values dead)'

# dlq review
complete -c qctl -n '__qctl_at \'dlq review\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l all -s a -d 'All that are not reviewed.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq review\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq review\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq review\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq review\' 0+' -f -k -a '(__qctl_values dead)'

# dlq edit
complete -c qctl -n '__qctl_at \'dlq edit\'' -l set -r -f -d 'Set a value; := takes JSON. May be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l payload -r -f -d 'A new payload: JSON, @FILE, or - for stdin.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l all -s a -d 'All that are not reviewed.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq edit\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq edit\' 0+' -f -k -a '(__qctl_values dead)'

# dlq replay
complete -c qctl -n '__qctl_at \'dlq replay\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l all -s a -d 'All that are not reviewed.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l rate -r -f -d 'So many at the most: 5/s, 100/m.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l canary -r -f -d 'Replay N first, and go on when they have ended well.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l abort-if -r -f -d 'Stop when more than this share of them dies again (default 0).'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l wait-timeout -r -f -d 'Wait no longer for the first ones; then exit 124.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq replay\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq replay\' 0+' -f -k -a '(__qctl_values dead)'

# dlq export
complete -c qctl -n '__qctl_at \'dlq export\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l all -s a -d 'Also those that were reviewed.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq export\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq export\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq export\'' -l help -s h -d 'Show the help of a command.'

# dlq discard
complete -c qctl -n '__qctl_at \'dlq discard\'' -l status -s s -r -f -a 'pending blocked processing completed failed cancelled' -d 'Only jobs in this status; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l type -s t -r -f -a '(__qctl_values types)' -d 'Only jobs of this type; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'Only jobs of this queue; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l tag -r -f -a '(__qctl_values tags)' -d 'Only jobs with this tag; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l key -r -f -d 'Only jobs with this key; may be repeated.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l since -r -f -d 'Only jobs created since: 1h, today 09:00, 2026-10-13.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l until -r -f -d 'Only jobs created until.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l search -r -f -d 'Only jobs with this text in type, payload, command or error.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l error -r -f -d 'Only jobs with this text in their error.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l group -s g -r -f -d 'Only letters with this error, as `dlq groups` names it.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l all -s a -d 'All that are not reviewed.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l dry-run -d 'Only list the jobs that it would touch.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'dlq discard\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'dlq discard\' 0+' -f -k -a '(__qctl_values dead)'

# cron
complete -c qctl -n '__qctl_at \'cron\'' -a add -d 'Add a recurring job'
complete -c qctl -n '__qctl_at \'cron\'' -a list -d 'List the schedules'
complete -c qctl -n '__qctl_at \'cron\'' -a show -d 'Show a schedule whole'
complete -c qctl -n '__qctl_at \'cron\'' -a next -d 'Show the next ticks of a schedule'
complete -c qctl -n '__qctl_at \'cron\'' -a pause -d 'Let schedules rest'
complete -c qctl -n '__qctl_at \'cron\'' -a resume -d 'Let schedules tick again, from the next tick on'
complete -c qctl -n '__qctl_at \'cron\'' -a run -d 'Make a job of a schedule now; prints its number'
complete -c qctl -n '__qctl_at \'cron\'' -a remove -d 'Delete schedules; their jobs stay'
complete -c qctl -n '__qctl_at \'cron\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron\'' -l help -s h -d 'Show the help of a command.'

# cron add
complete -c qctl -n '__qctl_at \'cron add\'' -l name -r -f -d 'What to call it (default: the type, made unique).'
complete -c qctl -n '__qctl_at \'cron add\'' -l tz -r -f -d 'The time zone it goes by, such as Europe/Berlin (default: that of this machine).'
complete -c qctl -n '__qctl_at \'cron add\'' -l catch-up -r -f -a 'latest all none' -d 'Ticks missed in a downtime: latest (default), all (100 at most) or none.'
complete -c qctl -n '__qctl_at \'cron add\'' -l overlap -r -f -a 'skip allow' -d 'While an earlier job has not ended: skip the tick (default), or allow.'
complete -c qctl -n '__qctl_at \'cron add\'' -l seconds -d 'The expression has a sixth field, the seconds, at its end.'
complete -c qctl -n '__qctl_at \'cron add\'' -l shell -r -f -d 'Run a line with /bin/sh -c.'
complete -c qctl -n '__qctl_at \'cron add\'' -l priority -s p -r -f -a 'low normal high critical' -d 'low, normal, high, critical or a number (default 0).'
complete -c qctl -n '__qctl_at \'cron add\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'The queue of its jobs (default: default).'
complete -c qctl -n '__qctl_at \'cron add\'' -l tag -r -f -a '(__qctl_values tags)' -d 'A tag for its jobs; may be repeated.'
complete -c qctl -n '__qctl_at \'cron add\'' -l max-attempts -r -f -d 'Attempts before a job becomes a dead letter (default 5).'
complete -c qctl -n '__qctl_at \'cron add\'' -l backoff -r -f -d 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'
complete -c qctl -n '__qctl_at \'cron add\'' -l timeout -r -f -d 'Longest time of an attempt (default 24h; none: no limit).'
complete -c qctl -n '__qctl_at \'cron add\'' -l cwd -r -f -a '(__fish_complete_directories (commandline -ct))' -d 'Where a command runs (default: here).'
complete -c qctl -n '__qctl_at \'cron add\'' -l env -r -f -d 'A variable for a command; NAME alone: its value here.'
complete -c qctl -n '__qctl_at \'cron add\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron add\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron add\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron add\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron add\' 0+' -f -a '(__qctl_values types)'

# cron list
complete -c qctl -n '__qctl_at \'cron list\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron list\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron list\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron list\'' -l help -s h -d 'Show the help of a command.'

# cron show
complete -c qctl -n '__qctl_at \'cron show\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron show\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron show\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron show\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron show\' 0' -f -a '(__qctl_values schedules)'

# cron next
complete -c qctl -n '__qctl_at \'cron next\'' -l after -r -f -d 'Those after this time (default: now).'
complete -c qctl -n '__qctl_at \'cron next\'' -l count -s n -r -f -d 'How many (default 5).'
complete -c qctl -n '__qctl_at \'cron next\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron next\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron next\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron next\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron next\' 0' -f -a '(__qctl_values schedules)'

# cron pause
complete -c qctl -n '__qctl_at \'cron pause\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron pause\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron pause\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron pause\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron pause\' 0+' -f -a '(__qctl_values schedules)'

# cron resume
complete -c qctl -n '__qctl_at \'cron resume\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron resume\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron resume\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron resume\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron resume\' 0+' -f -a '(__qctl_values schedules)'

# cron run
complete -c qctl -n '__qctl_at \'cron run\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron run\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron run\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron run\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron run\' 0+' -f -a '(__qctl_values schedules)'

# cron remove
complete -c qctl -n '__qctl_at \'cron remove\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'cron remove\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'cron remove\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'cron remove\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'cron remove\' 0+' -f -a '(__qctl_values schedules)'

# flow
complete -c qctl -n '__qctl_at \'flow\'' -a run -d 'Enqueue a flow, whole or not at all; prints its number'
complete -c qctl -n '__qctl_at \'flow\'' -a list -d 'List flows'
complete -c qctl -n '__qctl_at \'flow\'' -a show -d 'Show a flow and its steps'
complete -c qctl -n '__qctl_at \'flow\'' -a cancel -d 'Cancel what has not ended of a flow'
complete -c qctl -n '__qctl_at \'flow\'' -a replay -d 'Run a flow again from its failed steps on'
complete -c qctl -n '__qctl_at \'flow\'' -l limit -s n -r -f -d 'At most so many, newest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'flow\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow\'' -l help -s h -d 'Show the help of a command.'

# flow run
complete -c qctl -n '__qctl_at \'flow run\'' -l set -r -f -d 'A value over that in [vars]; may be repeated.'
complete -c qctl -n '__qctl_at \'flow run\'' -l on-failure -r -f -d 'Run this step, once no other can go on, if one has failed.'
complete -c qctl -n '__qctl_at \'flow run\'' -l wait -s w -d 'Wait for its end; exit 1 if it did not complete.'
complete -c qctl -n '__qctl_at \'flow run\'' -l follow -s f -d 'Wait, and show it as it goes on: a tree, in a pipe a line for each change.'
complete -c qctl -n '__qctl_at \'flow run\'' -l wait-timeout -r -f -d 'Wait no longer than this; then exit 124.'
complete -c qctl -n '__qctl_at \'flow run\'' -l dry-run -d 'Check it, and store nothing.'
complete -c qctl -n '__qctl_at \'flow run\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow run\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow run\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow run\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'flow run\' 0' -F

# flow list
complete -c qctl -n '__qctl_at \'flow list\'' -l limit -s n -r -f -d 'At most so many, newest first (default 20; 0: all).'
complete -c qctl -n '__qctl_at \'flow list\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow list\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow list\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow list\'' -l help -s h -d 'Show the help of a command.'

# flow show
complete -c qctl -n '__qctl_at \'flow show\'' -l all -s a -d 'Every step, also beyond 200 lines.'
complete -c qctl -n '__qctl_at \'flow show\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow show\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow show\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow show\'' -l help -s h -d 'Show the help of a command.'

# flow cancel
complete -c qctl -n '__qctl_at \'flow cancel\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow cancel\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow cancel\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow cancel\'' -l help -s h -d 'Show the help of a command.'

# flow replay
complete -c qctl -n '__qctl_at \'flow replay\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'flow replay\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'flow replay\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'flow replay\'' -l help -s h -d 'Show the help of a command.'

# types
complete -c qctl -n '__qctl_at \'types\'' -a list -d 'List what is set for types and queues'
complete -c qctl -n '__qctl_at \'types\'' -a set -d 'Say what holds for all jobs of a type'
complete -c qctl -n '__qctl_at \'types\'' -a unset -d 'Take back what was set for a type'
complete -c qctl -n '__qctl_at \'types\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'types\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'types\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'types\'' -l help -s h -d 'Show the help of a command.'

# types list
complete -c qctl -n '__qctl_at \'types list\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'types list\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'types list\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'types list\'' -l help -s h -d 'Show the help of a command.'

# types set
complete -c qctl -n '__qctl_at \'types set\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'A queue instead of a type: its limits.'
complete -c qctl -n '__qctl_at \'types set\'' -l timeout -r -f -d 'Longest time of an attempt (none: no limit).'
complete -c qctl -n '__qctl_at \'types set\'' -l max-attempts -r -f -d 'Attempts before a job becomes a dead letter.'
complete -c qctl -n '__qctl_at \'types set\'' -l backoff -r -f -d 'linear:30s, exponential:30s or fixed:30s, [,max=1h][,jitter=10%].'
complete -c qctl -n '__qctl_at \'types set\'' -l priority -s p -r -f -a 'low normal high critical' -d 'low, normal, high, critical or a number, for jobs enqueued from now on.'
complete -c qctl -n '__qctl_at \'types set\'' -l output-limit -r -f -d 'Bytes kept of what a job writes, head and tail.'
complete -c qctl -n '__qctl_at \'types set\'' -l retention -r -f -d 'How long completed jobs are kept, whatever `purge` does to others.'
complete -c qctl -n '__qctl_at \'types set\'' -l command -r -f -d 'The program that runs its jobs, in any worker; payload on stdin.'
complete -c qctl -n '__qctl_at \'types set\'' -l schema -r -F -d 'JSON Schema of the payload; - for stdin, none for none.'
complete -c qctl -n '__qctl_at \'types set\'' -l rate -r -f -d 'Starts per second, minute or hour: 5/s, 30/m, 1000/h.'
complete -c qctl -n '__qctl_at \'types set\'' -l rate-burst -r -f -d 'Starts beyond the rate that may come at once.'
complete -c qctl -n '__qctl_at \'types set\'' -l rate-key -r -f -d 'Field of the payload; each of its values has the rate to itself.'
complete -c qctl -n '__qctl_at \'types set\'' -l concurrency -r -f -d 'Jobs that may run at once, over all workers.'
complete -c qctl -n '__qctl_at \'types set\'' -l concurrency-key -r -f -d 'Field of the payload; each of its values has that many.'
complete -c qctl -n '__qctl_at \'types set\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'types set\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'types set\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'types set\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'types set\' 0' -f -a '(__qctl_values types)'

# types unset
complete -c qctl -n '__qctl_at \'types unset\'' -l queue -s q -r -f -a '(__qctl_values queues)' -d 'A queue instead of a type.'
complete -c qctl -n '__qctl_at \'types unset\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'types unset\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'types unset\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'types unset\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'types unset\' 0+' -f -a '(__qctl_values types)'

# once
complete -c qctl -n '__qctl_at \'once\'' -l no-wait -d 'If another process is at it, leave with 1 instead of waiting.'
complete -c qctl -n '__qctl_at \'once\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'once\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'once\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'once\'' -l help -s h -d 'Show the help of a command.'

# purge
complete -c qctl -n '__qctl_at \'purge\'' -l older-than -r -f -d 'Those that ended longer ago (default 7d).'
complete -c qctl -n '__qctl_at \'purge\'' -l status -s s -r -f -a 'completed failed cancelled' -d 'completed (default), failed or cancelled; may be repeated.'
complete -c qctl -n '__qctl_at \'purge\'' -l keep -r -f -d 'Keep the newest N of each status all the same.'
complete -c qctl -n '__qctl_at \'purge\'' -l max-time -r -f -d 'Stop after this time; the next purge goes on.'
complete -c qctl -n '__qctl_at \'purge\'' -l dry-run -d 'Only count.'
complete -c qctl -n '__qctl_at \'purge\'' -l yes -s y -d 'Do not ask.'
complete -c qctl -n '__qctl_at \'purge\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'purge\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'purge\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'purge\'' -l help -s h -d 'Show the help of a command.'

# backup
complete -c qctl -n '__qctl_at \'backup\'' -l force -s f -d 'Overwrite what is there.'
complete -c qctl -n '__qctl_at \'backup\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'backup\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'backup\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'backup\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'backup\' 0' -F

# export
complete -c qctl -n '__qctl_at \'export\'' -l output -d 'With what jobs wrote.'
complete -c qctl -n '__qctl_at \'export\'' -l force -s f -d 'Overwrite what is there.'
complete -c qctl -n '__qctl_at \'export\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'export\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'export\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'export\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'export\' 0' -F

# import
complete -c qctl -n '__qctl_at \'import\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'import\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'import\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'import\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'import\' 0+' -F

# doctor
complete -c qctl -n '__qctl_at \'doctor\'' -l fix -d 'Mend what can be mended safely.'
complete -c qctl -n '__qctl_at \'doctor\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'doctor\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'doctor\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'doctor\'' -l help -s h -d 'Show the help of a command.'

# undo
complete -c qctl -n '__qctl_at \'undo\'' -l list -s l -d 'List what can be taken back.'
complete -c qctl -n '__qctl_at \'undo\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'undo\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'undo\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'undo\'' -l help -s h -d 'Show the help of a command.'

# demo
complete -c qctl -n '__qctl_at \'demo\'' -l orders -r -f -d 'With orders: how many customers come (default 48, at least 12).'
complete -c qctl -n '__qctl_at \'demo\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'demo\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'demo\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'demo\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'demo\' 0' -f -a 'orders'

# init
complete -c qctl -n '__qctl_at \'init\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'init\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'init\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'init\'' -l help -s h -d 'Show the help of a command.'

# config
complete -c qctl -n '__qctl_at \'config\'' -l unset -d 'Back to the default.'
complete -c qctl -n '__qctl_at \'config\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'config\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'config\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'config\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'config\' 0' -f -a '(__qctl_values settings)'

# completion
complete -c qctl -n '__qctl_at \'completion\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'completion\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'completion\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'completion\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'completion\' 0' -f -a 'bash zsh fish powershell'

# help
complete -c qctl -n '__qctl_at \'help\'' -l db -r -F -d 'The queue file (default: $QCTL_DB, else your data folder).'
complete -c qctl -n '__qctl_at \'help\'' -l json -d 'JSON: one object, or one a line for lists.'
complete -c qctl -n '__qctl_at \'help\'' -l busy-timeout -r -f -d 'Wait so long for other writers (default 30s).'
complete -c qctl -n '__qctl_at \'help\'' -l help -s h -d 'Show the help of a command.'
complete -c qctl -n '__qctl_at \'help\' 0+' -f -a '(__qctl_values topics)'
