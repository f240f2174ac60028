"""The entry point: finds the command, lets it run, and turns every error into one line and an exit code."""

from __future__ import annotations

import os
import sys

from qctl.cli.commands import COMMANDS, DEFAULT_SUBCOMMANDS, GROUPS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from qctl.cli.spec import Values

BUG = 70  # EX_SOFTWARE
HELP = ("--help", "-h")


def main() -> NoReturn:
    """Run the command line and leave. The process ends without the interpreter's farewell, which takes longer than an
    enqueue, and without closing the queue file, which would make each short command copy the log into it."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        stand_in()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # who read it has gone, and `run` has reported what there was to report
    os._exit(code)


def stand_in() -> None:
    """Put something in the place of standard streams that are closed, so that no file of ours gets their numbers."""
    while (fd := os.open(os.devnull, os.O_RDONLY)) < 3:
        pass
    os.close(fd)
    sys.stdin = sys.stdin or open(0, encoding="utf-8")
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # what is written there fails, as it should
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")


def run(argv: Sequence[str]) -> int:
    """Run one command line; its exit code (contract, section 2). Never raises."""
    try:
        code = dispatch(list(argv))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return quiet()
    except KeyboardInterrupt:
        from qctl.model import INTERRUPTED

        return INTERRUPTED
    except Exception as error:
        try:
            return report(error, argv)
        except BrokenPipeError:
            return quiet()


def quiet() -> int:
    """Who reads us has gone: what is left in the buffer must not complain at the end either."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.close(devnull)
    return 0


def report(error: Exception, argv: Sequence[str]) -> int:
    """Say what went wrong in one line; the exit code."""
    from qctl.cli.render import error as say
    from qctl.model import QctlError

    if os.environ.get("QCTL_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, QctlError):
        say(str(error))
        return error.exit_code
    if type(error).__module__ == "sqlite3" and type(error).__name__ in ("DatabaseError", "OperationalError"):
        say(f"the queue file cannot be used: {error}")
        return 4
    if isinstance(error, OSError) and error.errno is not None:
        where = os.fsdecode(error.filename) if error.filename else "stdout" if error.errno in (9, 28) else ""
        say(f"{where}: {error.strerror}" if where else str(error.strerror))
        return 4 if error.errno == 28 else 2
    if isinstance(error, UnicodeEncodeError) and any(error.object in word for word in argv):
        say(f"{error.object[:40]}: this is not UTF-8, and nothing in the queue is called so")
        return 2
    say(f"this is a fault in qctl: {type(error).__name__}: {error} (QCTL_TRACEBACK=1 shows where)")
    return BUG


def dispatch(argv: list[str]) -> int:
    """Find the command and run it: read by the quick parser, or by Typer where that knows no answer."""
    values: Values = {}
    index = leading(argv, 0, values)
    if argv[index : index + 1] in (["--version"], ["-V"]):
        from qctl import __version__

        sys.stdout.write(f"qctl {__version__}\n")
        return 0
    name = argv[index] if index < len(argv) else ""
    if name not in COMMANDS:
        return ask_typer(argv)
    index += 1
    sub = None
    if name in GROUPS:
        index = leading(argv, index, values)
        sub = argv[index] if index < len(argv) else ""
        if sub not in GROUPS[name]:
            if sub in HELP or (sub and not sub.startswith("-")):
                return ask_typer(argv)
            sub = DEFAULT_SUBCOMMANDS[name]
            argv.insert(index, sub)
        index += 1
    command = load(name, sub)
    from qctl.cli.parse import parse

    parsed = parse(command, argv[index:], values)
    return ask_typer(argv) if parsed is None else command.run(parsed)


def leading(argv: Sequence[str], index: int, values: Values) -> int:
    """Take the options that every command has and that stand before it; the index of the first other word."""
    while index < len(argv):
        word = argv[index]
        name, mark, value = word.partition("=")
        if word == "--json":
            values["json"] = True
        elif name not in ("--db", "--busy-timeout") or not (mark or index + 1 < len(argv)):
            return index
        else:
            if not mark:
                index += 1
                value = argv[index]
            values[name[2:].replace("-", "_")] = value
        index += 1
    return index


def ask_typer(argv: Sequence[str]) -> int:
    from qctl.cli.face import read

    found = read(argv)
    if isinstance(found, int):
        return found
    command, values = found
    return command.run(values)


if __name__ == "__main__":
    main()
