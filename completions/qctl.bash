# Completion of qctl for bash 3.2 and later. Written by `qctl completion bash`: do not edit.

# What may follow a command: options, further commands, arguments by their kind, -- and a command.
__qctl_place() {
    options='' subs='' tail='' arguments=()
    case $1 in
    '')
        options='--busy-timeout --db --help --json --version -V -h'
        subs='enqueue work workers list show logs wait cancel retry edit explain pause resume stats health assert forecast events serve dlq cron flow types once purge backup export import doctor undo demo init config completion help'
        ;;
    'enqueue')
        options='--after --after-any --after-failed --at --atomic --backoff --busy-timeout --cwd --db --dry-run --env --exit-code --expires --follow --from --help --id --in --json --key --key-for --max-attempts --now --payload --priority --queue --shell --tag --timeout --type --wait --wait-timeout -f -h -i -p -q -t -w'
        arguments=('types' 'file...')
        tail=1
        ;;
    'work')
        options='--busy-timeout --concurrency --coroutines --db --drain --grace --handlers --help --json --log-format --max-jobs --max-jobs-per-child --max-time --memory --once --queue --quiet --threads --type --verbose -H -c -h -q -t -v'
        ;;
    'workers')
        options='--busy-timeout --db --help --json -h'
        ;;
    'list')
        options='--busy-timeout --db --flow --help --json --key --limit --queue --search --since --status --tag --type --until -h -n -q -s -t'
        ;;
    'show')
        options='--busy-timeout --db --help --json -h'
        arguments=('jobs')
        ;;
    'logs')
        options='--attempt --busy-timeout --db --follow --help --json --stderr --stdout -f -h'
        arguments=('jobs')
        ;;
    'wait')
        options='--busy-timeout --db --fail-fast --help --json --wait-timeout -h'
        arguments=('jobs...')
        ;;
    'cancel')
        options='--busy-timeout --cascade --db --dry-run --error --help --json --key --queue --search --since --status --tag --type --until --yes -h -q -s -t -y'
        arguments=('jobs...')
        ;;
    'retry')
        options='--busy-timeout --db --dry-run --error --help --json --key --queue --search --since --status --tag --type --until --yes -h -q -s -t -y'
        arguments=('jobs...')
        ;;
    'edit')
        options='--at --backoff --busy-timeout --db --help --in --json --max-attempts --payload --priority --queue --tag --timeout -h -i -p -q'
        arguments=('jobs')
        ;;
    'explain')
        options='--busy-timeout --db --help --json -h'
        arguments=('jobs')
        ;;
    'pause')
        options='--all --busy-timeout --db --help --json --queue -h -q'
        arguments=('types...')
        ;;
    'resume')
        options='--all --busy-timeout --db --help --json --queue -h -q'
        arguments=('types...')
        ;;
    'stats')
        options='--at --busy-timeout --db --help --json --since --type --watch -h -t -w'
        ;;
    'health')
        options='--busy-timeout --db --help --json --max-age --max-dead --max-failure-rate --max-overdue --max-pending --max-running --max-silence --max-unserved --max-wal --min-disk --nagios -h'
        ;;
    'assert')
        options='--busy-timeout --db --help --json --wait -h'
        arguments=('-')
        ;;
    'forecast')
        options='--busy-timeout --db --help --json --since --workers -h'
        ;;
    'events')
        options='--busy-timeout --db --follow --help --json --since --type -f -h -t'
        ;;
    'serve')
        options='--busy-timeout --db --help --host --json --port --token -h'
        ;;
    'dlq')
        options='--all --busy-timeout --db --error --group --help --json --key --limit --queue --search --since --status --tag --type --until -a -g -h -n -q -s -t'
        subs='list groups show note review edit replay export discard'
        ;;
    'dlq list')
        options='--all --busy-timeout --db --error --group --help --json --key --limit --queue --search --since --status --tag --type --until -a -g -h -n -q -s -t'
        ;;
    'dlq groups')
        options='--all --busy-timeout --db --error --group --help --json --key --limit --queue --search --since --status --tag --type --until -a -g -h -n -q -s -t'
        ;;
    'dlq show')
        options='--busy-timeout --db --group --help --json -g -h'
        arguments=('dead')
        ;;
    'dlq note')
        options='--busy-timeout --db --group --help --json -g -h'
        arguments=('dead...')
        ;;
    'dlq review')
        options='--all --busy-timeout --db --dry-run --error --group --help --json --key --queue --search --since --status --tag --type --until --yes -a -g -h -q -s -t -y'
        arguments=('dead...')
        ;;
    'dlq edit')
        options='--all --busy-timeout --db --dry-run --error --group --help --json --key --payload --queue --search --set --since --status --tag --type --until --yes -a -g -h -q -s -t -y'
        arguments=('dead...')
        ;;
    'dlq replay')
        options='--abort-if --all --busy-timeout --canary --db --dry-run --error --group --help --json --key --queue --rate --search --since --status --tag --type --until --wait-timeout --yes -a -g -h -q -s -t -y'
        arguments=('dead...')
        ;;
    'dlq export')
        options='--all --busy-timeout --db --error --group --help --json --key --queue --search --since --status --tag --type --until -a -g -h -q -s -t'
        ;;
    'dlq discard')
        options='--all --busy-timeout --db --dry-run --error --group --help --json --key --queue --search --since --status --tag --type --until --yes -a -g -h -q -s -t -y'
        arguments=('dead...')
        ;;
    'cron')
        options='--busy-timeout --db --help --json -h'
        subs='add list show next pause resume run remove'
        ;;
    'cron add')
        options='--backoff --busy-timeout --catch-up --cwd --db --env --help --json --max-attempts --name --overlap --priority --queue --seconds --shell --tag --timeout --tz -h -p -q'
        arguments=('types...')
        tail=1
        ;;
    'cron list')
        options='--busy-timeout --db --help --json -h'
        ;;
    'cron show')
        options='--busy-timeout --db --help --json -h'
        arguments=('schedules')
        ;;
    'cron next')
        options='--after --busy-timeout --count --db --help --json -h -n'
        arguments=('schedules')
        ;;
    'cron pause')
        options='--busy-timeout --db --help --json -h'
        arguments=('schedules...')
        ;;
    'cron resume')
        options='--busy-timeout --db --help --json -h'
        arguments=('schedules...')
        ;;
    'cron run')
        options='--busy-timeout --db --help --json -h'
        arguments=('schedules...')
        ;;
    'cron remove')
        options='--busy-timeout --db --help --json -h'
        arguments=('schedules...')
        ;;
    'flow')
        options='--busy-timeout --db --help --json --limit -h -n'
        subs='run list show cancel replay'
        ;;
    'flow run')
        options='--busy-timeout --db --dry-run --follow --help --json --on-failure --set --wait --wait-timeout -f -h -w'
        arguments=('file')
        ;;
    'flow list')
        options='--busy-timeout --db --help --json --limit -h -n'
        ;;
    'flow show')
        options='--all --busy-timeout --db --help --json -a -h'
        arguments=('-')
        ;;
    'flow cancel')
        options='--busy-timeout --db --help --json -h'
        arguments=('-')
        ;;
    'flow replay')
        options='--busy-timeout --db --help --json -h'
        arguments=('-')
        ;;
    'types')
        options='--busy-timeout --db --help --json -h'
        subs='list set unset'
        ;;
    'types list')
        options='--busy-timeout --db --help --json -h'
        ;;
    'types set')
        options='--backoff --busy-timeout --command --concurrency --concurrency-key --db --help --json --max-attempts --output-limit --priority --queue --rate --rate-burst --rate-key --retention --schema --timeout -h -p -q'
        arguments=('types')
        ;;
    'types unset')
        options='--busy-timeout --db --help --json --queue -h -q'
        arguments=('types...')
        ;;
    'once')
        options='--busy-timeout --db --help --json --no-wait -h'
        arguments=('-')
        tail=1
        ;;
    'purge')
        options='--busy-timeout --db --dry-run --help --json --keep --max-time --older-than --status --yes -h -s -y'
        ;;
    'backup')
        options='--busy-timeout --db --force --help --json -f -h'
        arguments=('file')
        ;;
    'export')
        options='--busy-timeout --db --force --help --json --output -f -h'
        arguments=('file')
        ;;
    'import')
        options='--busy-timeout --db --help --json -h'
        arguments=('file...')
        ;;
    'doctor')
        options='--busy-timeout --db --fix --help --json -h'
        ;;
    'undo')
        options='--busy-timeout --db --help --json --list -h -l'
        arguments=('-')
        ;;
    'demo')
        options='--busy-timeout --db --help --json --orders -h'
        arguments=('=orders')
        ;;
    'init')
        options='--busy-timeout --db --help --json -h'
        ;;
    'config')
        options='--busy-timeout --db --help --json --unset -h'
        arguments=('settings' '-')
        ;;
    'completion')
        options='--busy-timeout --db --help --json -h'
        arguments=('=bash zsh fish powershell')
        ;;
    'help')
        options='--busy-timeout --db --help --json -h'
        arguments=('topics...')
        ;;
    esac
}

# What the value of an option is; nothing for a switch.
__qctl_kind() {
    kind=''
    case $1 in
    '')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'enqueue')
        case $2 in
        --shell|--in|-i|--at|--id|--payload|--max-attempts|--backoff|--timeout|--expires|--key|--key-for|--env|--wait-timeout|--busy-timeout) kind='-' ;;
        --from|--db) kind='file' ;;
        --priority|-p) kind='=low normal high critical' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --type|-t) kind='types' ;;
        --after|--after-any|--after-failed) kind='jobs' ;;
        --cwd) kind='dir' ;;
        esac ;;
    'work')
        case $2 in
        --concurrency|-c|--threads|--coroutines|--memory|--max-jobs-per-child|--max-jobs|--max-time|--grace|--busy-timeout) kind='-' ;;
        --queue|-q) kind='queues' ;;
        --type|-t) kind='types' ;;
        --handlers|-H|--db) kind='file' ;;
        --log-format) kind='=text json' ;;
        esac ;;
    'workers')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'list')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--flow|--limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'show')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'logs')
        case $2 in
        --attempt|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'wait')
        case $2 in
        --wait-timeout|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'cancel')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'retry')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'edit')
        case $2 in
        --payload|--in|-i|--at|--max-attempts|--backoff|--timeout|--busy-timeout) kind='-' ;;
        --priority|-p) kind='=low normal high critical' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --db) kind='file' ;;
        esac ;;
    'explain')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'pause')
        case $2 in
        --queue|-q) kind='queues' ;;
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'resume')
        case $2 in
        --queue|-q) kind='queues' ;;
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'stats')
        case $2 in
        --since|--at|--busy-timeout) kind='-' ;;
        --type|-t) kind='types' ;;
        --db) kind='file' ;;
        esac ;;
    'health')
        case $2 in
        --max-pending|--max-age|--max-dead|--max-failure-rate|--max-running|--max-unserved|--max-overdue|--max-silence|--max-wal|--min-disk|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'assert')
        case $2 in
        --wait|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'forecast')
        case $2 in
        --workers|--since|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'events')
        case $2 in
        --since|--busy-timeout) kind='-' ;;
        --type|-t) kind='types' ;;
        --db) kind='file' ;;
        esac ;;
    'serve')
        case $2 in
        --host|--port|--token|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq list')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq groups')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq show')
        case $2 in
        --group|-g|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq note')
        case $2 in
        --group|-g|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq review')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq edit')
        case $2 in
        --set|--payload|--key|--since|--until|--search|--error|--group|-g|--busy-timeout) kind='-' ;;
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq replay')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--rate|--canary|--abort-if|--wait-timeout|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq export')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'dlq discard')
        case $2 in
        --status|-s) kind='=pending blocked processing completed failed cancelled' ;;
        --type|-t) kind='types' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --key|--since|--until|--search|--error|--group|-g|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'cron')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron add')
        case $2 in
        --name|--tz|--shell|--max-attempts|--backoff|--timeout|--env|--busy-timeout) kind='-' ;;
        --catch-up) kind='=latest all none' ;;
        --overlap) kind='=skip allow' ;;
        --priority|-p) kind='=low normal high critical' ;;
        --queue|-q) kind='queues' ;;
        --tag) kind='tags' ;;
        --cwd) kind='dir' ;;
        --db) kind='file' ;;
        esac ;;
    'cron list')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron show')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron next')
        case $2 in
        --after|--count|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'cron pause')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron resume')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron run')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'cron remove')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'flow')
        case $2 in
        --limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'flow run')
        case $2 in
        --set|--on-failure|--wait-timeout|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'flow list')
        case $2 in
        --limit|-n|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'flow show')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'flow cancel')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'flow replay')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'types')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'types list')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'types set')
        case $2 in
        --queue|-q) kind='queues' ;;
        --timeout|--max-attempts|--backoff|--output-limit|--retention|--command|--rate|--rate-burst|--rate-key|--concurrency|--concurrency-key|--busy-timeout) kind='-' ;;
        --priority|-p) kind='=low normal high critical' ;;
        --schema|--db) kind='file' ;;
        esac ;;
    'types unset')
        case $2 in
        --queue|-q) kind='queues' ;;
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'once')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'purge')
        case $2 in
        --older-than|--keep|--max-time|--busy-timeout) kind='-' ;;
        --status|-s) kind='=completed failed cancelled' ;;
        --db) kind='file' ;;
        esac ;;
    'backup')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'export')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'import')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'doctor')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'undo')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'demo')
        case $2 in
        --orders|--busy-timeout) kind='-' ;;
        --db) kind='file' ;;
        esac ;;
    'init')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'config')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'completion')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    'help')
        case $2 in
        --db) kind='file' ;;
        --busy-timeout) kind='-' ;;
        esac ;;
    esac
}

# A candidate for the word at the cursor; $1 stands before it in that word.
__qctl_add() {
    local word=$1$2
    [[ $word == "$full"* ]] || return 0
    if [[ -z $quote && $word == *[!A-Za-z0-9_.,:@%+/=-]* ]]; then
        printf -v word %q "$word"
    fi
    COMPREPLY[${#COMPREPLY[@]}]=${word#"$kept"}
}

# Candidates of a kind: =words, file, dir, - (unknown), or what `qctl _values` lists. $2 stands before them in the word.
__qctl_offer() {
    local line start=${full#"$2"}
    case $1 in
    =*) for line in ${1#=}; do __qctl_add "$2" "$line"; done ;;
    file)
        files=1
        [[ $start == @* ]] || return 0
        while IFS= read -r line; do
            [[ -z $line ]] || __qctl_add "$2" "@$line"
        done <<<"$(compgen -f -- "${start#@}")" ;;
    dir)
        compopt -o filenames 2>/dev/null || { files=1; return; }
        start=${full#"$kept"}
        while IFS= read -r line; do
            [[ -z $line ]] || COMPREPLY[${#COMPREPLY[@]}]=$line
        done <<<"$(compgen -d -- "$start")" ;;
    -) ;;
    *)
        while IFS= read -r line; do
            if [[ -z $line ]]; then
                continue
            elif [[ ${COMP_TYPE-} == 63 && $line == "$full"* && $line == *$'\t'* ]]; then
                # Only listed, not inserted: what it is may stand beside it.
                COMPREPLY[${#COMPREPLY[@]}]=${line/$'\t'/  }
            else
                __qctl_add "$2" "${line%%$'\t'*}"
            fi
        done <<<"$("$program" ${db:+--db "$db"} _values "$1" -- "$start" 2>/dev/null)"
        if [[ ${COMP_TYPE-} == 63 && ${#COMPREPLY[@]} == 1 ]]; then
            COMPREPLY[0]=${COMPREPLY[0]%%  *}
        fi ;;
    esac
}

# The command after --, whose first word has the index $1: as if it stood alone.
__qctl_command() {
    local line
    if type _comp_command_offset >/dev/null 2>&1; then
        _comp_command_offset "$1"
    elif type _command_offset >/dev/null 2>&1; then
        _command_offset "$1"
    elif [[ $COMP_CWORD == "$1" && $full != */* ]]; then
        while IFS= read -r line; do
            [[ -z $line ]] || __qctl_add '' "$line"
        done <<<"$(compgen -c -- "$full" | sort -u)"
    else
        files=1
    fi
}

_qctl() {
    local IFS=$' \t\n' program=$1 full='' kept='' quote='' db='' files=''
    local path='' wanted='' plain='' options='' subs='' tail='' kind='' free=0
    local index word rest line=${COMP_LINE-${COMP_WORDS[*]}}
    local -a words arguments
    words=() arguments=() COMPREPLY=()
    [[ $program != '~/'* ]] || program=$HOME/${program#'~/'}
    type -P -- "$program" >/dev/null || program=qctl

    # The shell breaks words at characters such as = and : too. What no space parts is one word.
    line=${line#*"${COMP_WORDS[0]}"}
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        rest=${line#"${line%%[![:space:]]*}"}
        if [[ $index -gt 1 && $rest == "$line" && -n $word ]]; then
            kept=$full
            full=$full$word
            words[${#words[@]} - 1]=$full
        else
            kept='' full=$word
            words[${#words[@]}]=$word
        fi
        line=${rest#"$word"}
    done
    case $word in *[!=:@]*|'') ;; *) kept=$full ;; esac
    kept=${kept%@}  # readline takes an @ along with what follows it

    __qctl_place ''
    for ((index = 0; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $wanted ]]; then
            [[ $wanted != --db ]] || db=$word
            wanted=''
            continue
        fi
        case $plain$word in
        --)
            plain=1
            [[ -z $tail ]] || break ;;
        --db=*) db=${word#*=} ;;
        --*=*) ;;
        -?*)
            __qctl_kind "$path" "$word"
            [[ -z $kind ]] || wanted=$word ;;
        *)
            if [[ -n $subs ]]; then
                path=${path:+$path }$word
                __qctl_place "$path"
            else
                free=$((free + 1))
            fi ;;
        esac
    done
    case $db in \"*\"|\'*\') db=${db:1:${#db}-2} ;; '~/'*) db=$HOME/${db#'~/'} ;; esac
    case $full in [\"\']*) quote=${full:0:1} full=${full:1} ;; esac

    if [[ -n $plain && -n $tail ]]; then
        for ((index = 1; index < COMP_CWORD; index++)); do
            [[ ${COMP_WORDS[index]} != -- ]] || break
        done
        __qctl_command $((index + 1))
        return
    elif [[ -n $wanted ]]; then
        __qctl_offer "$kind" ''
    elif [[ -z $plain && $full == --*=* ]]; then
        __qctl_kind "$path" "${full%%=*}"
        [[ -z $kind ]] || __qctl_offer "$kind" "${full%%=*}="
    elif [[ -n $subs && $full != -* ]]; then
        __qctl_offer "=$subs" ''
    elif [[ -z $plain && ( $full == -* || ${#arguments[@]} == 0 ) ]]; then
        __qctl_offer "=$options" ''
    elif [[ $free -lt ${#arguments[@]} ]]; then
        kind=${arguments[free]}
        __qctl_offer "${kind%...}" ''
    elif [[ ${#arguments[@]} -gt 0 ]]; then
        kind=${arguments[${#arguments[@]} - 1]}
        [[ $kind != *... ]] || __qctl_offer "${kind%...}" ''
    fi
    # Where no file can stand, none is offered (bash 3.2 does it all the same).
    [[ -n $files ]] || compopt +o default 2>/dev/null
    return 0
}

complete -o default -F _qctl qctl
