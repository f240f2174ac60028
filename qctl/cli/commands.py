"""All commands: where each is defined, and its line in the help. Nothing is imported until it is called."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Command

# name: (module, attribute, summary)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "enqueue": ("enqueue", "ENQUEUE", "Put a job into the queue: a typed job, or a command."),
    "work": ("work", "WORK", "Run jobs: a worker."),
    "workers": ("workers", "WORKERS", "List workers, and what each runs."),
    "list": ("list", "LIST", "List jobs."),
    "show": ("show", "SHOW", "Show a job and its history."),
    "logs": ("logs", "LOGS", "Print what a job wrote."),
    "wait": ("wait", "WAIT", "Wait until jobs have ended."),
    "cancel": ("cancel", "CANCEL", "Cancel jobs."),
    "retry": ("cancel", "RETRY", "Run jobs now: again, or before their time."),
    "edit": ("edit", "EDIT", "Change a job that has not ended."),
    "explain": ("explain", "EXPLAIN", "Say why a job is not running, and what would let it."),
    "pause": ("pause", "PAUSE", "Start no more jobs of a type, a queue, or at all; what runs goes on."),
    "resume": ("pause", "RESUME", "Let jobs start again that were paused."),
    "stats": ("stats", "STATS", "Show how the queue does."),
    "health": ("health", "HEALTH", "Say whether the queue is healthy, by exit code."),
    "assert": ("assertion", "ASSERT", "Check what must hold of the queue, by exit code."),
    "forecast": ("forecast", "FORECAST", "Say when the queue will be empty."),
    "events": ("events", "EVENTS", "Print what happened to jobs, as NDJSON."),
    "serve": ("serve", "SERVE", "Serve the figures over HTTP: a page, health, metrics."),
    "dlq": ("dlq", "", "Inspect and replay dead letters."),
    "cron": ("cron", "", "Recurring jobs: add, list and steer schedules."),
    "flow": ("flow", "", "Run jobs as steps that wait for one another."),
    "types": ("types", "", "Set what holds for all jobs of a type."),
    "once": ("once", "ONCE", "Run a command here, unless it was done before."),
    "purge": ("purge", "PURGE", "Delete jobs that ended long ago."),
    "backup": ("backup", "BACKUP", "Copy the queue file while workers run; the copy is whole and checked."),
    "export": ("export", "EXPORT", "Write all that is in the queue as NDJSON."),
    "import": ("import_", "IMPORT", "Take in what was exported, or whole queue files; what is there stays."),
    "doctor": ("doctor", "DOCTOR", "Look for what is wrong with the queue file and its place."),
    "undo": ("undo", "UNDO", "Take back the latest cancel, retry, edit, replay or discard."),
    "demo": ("demo", "DEMO", "See all of it at work, on a queue file of its own."),
    "init": ("init", "INIT", "Make a queue file, or add a queue to an SQLite database."),
    "config": ("config", "CONFIG", "Show or change settings of the queue."),
    "completion": ("completion", "COMPLETION", "Print the completion script of a shell."),
    "help": ("help", "HELP", "Explain a topic."),
    "_values": ("completion", "VALUES", ""),
    "_picture": ("picture", "PICTURE", ""),
}

GROUPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "dlq": {
        "list": ("dlq", "LIST", "List dead letters."),
        "groups": ("group", "GROUPS", "Group dead letters by their error."),
        "show": ("letter", "SHOW", "Show a dead letter whole."),
        "note": ("dlq", "NOTE", "Write a note on dead letters."),
        "review": ("dlq", "REVIEW", "Mark dead letters as reviewed."),
        "edit": ("mend", "EDIT", "Change the payload of dead jobs, before a replay."),
        "replay": ("dlq", "REPLAY", "Send dead letters back to the queue."),
        "export": ("mend", "EXPORT", "Print dead letters whole, as NDJSON."),
        "discard": ("dlq", "DISCARD", "Delete dead letters and their jobs."),
    },
    "cron": {
        "add": ("cron", "ADD", "Add a recurring job."),
        "list": ("cron", "LIST", "List the schedules."),
        "show": ("cron", "SHOW", "Show a schedule whole."),
        "next": ("cron", "NEXT", "Show the next ticks of a schedule."),
        "pause": ("cron", "PAUSE", "Let schedules rest."),
        "resume": ("cron", "RESUME", "Let schedules tick again, from the next tick on."),
        "run": ("cron", "RUN", "Make a job of a schedule now; prints its number."),
        "remove": ("cron", "REMOVE", "Delete schedules; their jobs stay."),
    },
    "flow": {
        "run": ("flow", "RUN", "Enqueue a flow, whole or not at all; prints its number."),
        "list": ("flow", "LIST", "List flows."),
        "show": ("flow", "SHOW", "Show a flow and its steps."),
        "cancel": ("flow", "CANCEL", "Cancel what has not ended of a flow."),
        "replay": ("flow", "REPLAY", "Run a flow again from its failed steps on."),
    },
    "types": {
        "list": ("types", "LIST", "List what is set for types and queues."),
        "set": ("types", "SET", "Say what holds for all jobs of a type."),
        "unset": ("types", "UNSET", "Take back what was set for a type."),
    },
}

ELSEWHERE = {
    "add": "enqueue", "push": "enqueue", "submit": "enqueue", "run": "enqueue", "exec": "enqueue", "send": "enqueue",
    "ls": "list", "ps": "list", "jobs": "list", "status": "list", "queue": "list", "info": "show", "inspect": "show",
    "result": "show", "log": "logs", "output": "logs", "tail": "logs", "follow": "logs", "start": "work", "worker": "work",
    "daemon": "work", "drain": "work", "kill": "cancel", "stop": "cancel", "rm": "cancel", "remove": "cancel",
    "delete": "cancel", "restart": "retry", "requeue": "retry", "hold": "pause", "release": "resume", "continue": "resume",
    "clean": "purge", "clear": "purge", "prune": "purge", "dead": "dlq", "failed": "dlq", "schedule": "cron",
    "beat": "cron", "top": "stats", "monitor": "stats", "count": "stats", "web": "serve", "dashboard": "serve",
    "metrics": "serve", "set": "config", "settings": "config", "dump": "export", "load": "import", "restore": "import",
    "check": "doctor", "limit": "types", "workflow": "flow",
}  # fmt: skip
"""What other queues call it: who comes from there types that first."""

DEFAULT_SUBCOMMANDS = {"dlq": "list", "cron": "list", "types": "list", "flow": "list"}
HIDDEN = ("_values", "_picture")


def load(name: str, sub: str | None = None) -> Command:
    """The definition of a command; imports its module."""
    module, attribute, _summary = GROUPS[name][sub] if sub else COMMANDS[name]
    command: Command = getattr(__import__(f"qctl.cli.{module}", fromlist=[attribute]), attribute)
    return command
