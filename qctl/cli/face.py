"""The Typer face: help, usage errors, and whatever the quick parser left alone; built from the same definitions."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand, TyperGroup

from qctl.cli.commands import COMMANDS, DEFAULT_SUBCOMMANDS, ELSEWHERE, GROUPS, HIDDEN, load
from qctl.cli.page import HELP_ROW, VERSION_ROW, WIDEST, Page, option_row, usage_of
from qctl.cli.spec import COMMON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qctl.cli.spec import Argument, Command, Option, Values

    Reading = tuple[Command, Values]

ABOUT = "A job queue in one SQLite file: durable, with retries, schedules and dead letters."
FIRST_STEPS = (
    ("qctl enqueue -- echo hello", "put a command into the queue"),
    ("qctl work --drain", "run what is there"),
    ("qctl list", "see what became of it"),
    ("qctl demo", "all of it at work, in 20 seconds"),
)
MORE = "`qctl COMMAND --help` tells all about a command, `qctl help` lists longer topics."
STYLE: dict[str, Any] = {"help_option_names": ["--help", "-h"], "max_content_width": WIDEST}


def read(argv: Sequence[str]) -> Reading | int:
    """The command that `argv` names, and its values; or the exit code, after help or a usage error was written."""
    root = group("qctl", root_callback())
    try:
        with root.make_context("qctl", list(argv)) as context:
            found: Reading = root.invoke(context)
            return found
    except typer.Exit as leave:
        return leave.exit_code
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        from qctl.cli.render import error as say

        say(complaint(error))
        return 2


def complaint(error: Any) -> str:
    """A usage error in our words: what is wrong, what is accepted, where to read on."""
    where = getattr(getattr(error, "ctx", None), "command_path", "qctl")
    text = " ".join(str(error.format_message()).split()).rstrip(".")
    name = getattr(error, "option_name", "")
    if type(error).__name__ == "NoSuchOption":
        close = sorted(error.possibilities or ())
        text = f"there is no option {name}" + did_you_mean(close)
        command = getattr(getattr(error, "ctx", None), "command", None)
        if not close and isinstance(command, Leaf) and command.spec.tail:
            text += ": a program and its own options stand behind --"
    elif type(error).__name__ == "BadOptionUsage":
        text = f"{name} wants a value" if "requires" in text else f"{name} is a switch and takes no value"
    elif type(error).__name__ == "MissingParameter":
        text = f"{error.param.metavar or error.param.name} is missing"
    elif text.startswith("Got unexpected extra argument"):
        text = f"this is too much: {text.partition(' (')[2].removesuffix(')')}"
    else:
        text = text[:1].lower() + text[1:]
    return f"{text} (see `{where} --help`)"


def did_you_mean(close: Sequence[str]) -> str:
    return f": did you mean {' or '.join(close)}?" if close else ""


def new_app(**settings: Any) -> typer.Typer:
    """Without Typer's own completion (a full start per TAB), tracebacks (they show payloads) and panels of Rich."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **settings)


def group(name: str, callback: Callable[..., Any]) -> Root:
    """A group with the options of `callback`; its commands are made when they are asked for."""
    app = new_app(cls=Root, name=name)
    app.callback(invoke_without_command=True, context_settings=STYLE)(callback)
    made: Any = typer.main.get_command(app)
    return made  # type: ignore[no-any-return]


class Root(TyperGroup):
    """The commands in the order of their definitions; a call without one shows the help."""

    path = ""

    def names(self) -> list[str]:
        known = GROUPS[self.path] if self.path else COMMANDS
        return [name for name in known if name not in HIDDEN]

    def list_commands(self, ctx: Any) -> list[str]:
        return self.names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in (GROUPS[self.path] if self.path else COMMANDS):
            ctx.fail(f"there is no command {cmd_name!r}{self.instead(cmd_name)}")
        if self.path:
            return leaf(load(self.path, cmd_name))
        if cmd_name in GROUPS:
            made = group(cmd_name, group_callback())
            made.path = cmd_name
            return made
        return leaf(load(cmd_name))

    def instead(self, word: str) -> str:
        """What somebody who typed this may have meant: a command, or a program that is to be a job."""
        from difflib import get_close_matches
        from shutil import which

        other = ELSEWHERE.get(word)
        close = [other] if other and not self.path else get_close_matches(word, self.names())
        if not close and not self.path and which(word):
            return f": to run that program as a job, `qctl enqueue -- {word}`"
        return did_you_mean(close)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        page = Page(formatter)
        page.usage(ctx.command_path, "COMMAND [OPTIONS] [ARGUMENTS]")
        page.text(COMMANDS[self.path][2] if self.path else ABOUT)
        known = GROUPS[self.path] if self.path else COMMANDS
        page.rows("Commands", [(name, known[name][2]) for name in self.names()])
        extra = [HELP_ROW] if self.path else [VERSION_ROW, HELP_ROW]
        page.rows("Options, before or after the command", [*map(option_row, COMMON), *extra])
        if not self.path:
            page.rows("First steps", FIRST_STEPS)
        else:
            page.text(f"`qctl {self.path}` alone means `qctl {self.path} {DEFAULT_SUBCOMMANDS[self.path]}`.")
        page.text(MORE.replace("COMMAND", f"{self.path} COMMAND", 1) if self.path else MORE)


class Leaf(TyperCommand):
    """A command. With a `tail`, everything after the first `--` is left as it is."""

    spec: Command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if self.spec.tail:
            ctx.obj = dict(ctx.obj or {})
            ctx.obj["tail"] = None
            if "--" in args:
                cut = args.index("--")
                ctx.obj["tail"] = args[cut + 1 :]
                args = args[:cut]
        try:
            rest: list[str] = super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:  # some do not know where they were raised
                error.ctx = ctx  # type: ignore[attr-defined]
            raise
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        spec, page = self.spec, Page(formatter)
        page.usage(ctx.command_path, " ".join(["[OPTIONS]", *map(usage_of, spec.arguments), spec.tail]).strip())
        page.text(spec.summary)
        page.rows("Arguments", [(one.metavar, one.help) for one in spec.arguments])
        own = [one for one in spec.options if one not in COMMON]
        page.rows("Options", [option_row(one) for one in own])
        page.rows("Options of every command", [*map(option_row, COMMON), HELP_ROW])
        page.lines("Examples", [line for line in spec.epilog if "qctl " in line])
        for line in spec.epilog:
            if "qctl " not in line:
                page.text(line[:1].upper() + line[1:] + ".")


def leaf(command: Command) -> Leaf:
    """The Typer command of a definition."""
    app = new_app()
    app.command(command.name, cls=Leaf, context_settings=STYLE)(function(command))
    made: Any = typer.main.get_command(app)
    made.spec = command
    return made  # type: ignore[no-any-return]


def function(command: Command) -> Callable[..., Reading]:
    """A function with the signature that Typer reads, which gives the command and its values."""
    several = {one.key for one in command.arguments if one.multiple} | {
        one.key for one in command.options if one.multiple
    }

    def call(ctx: typer.Context, **given: Any) -> Reading:
        values: Values = dict(ctx.obj or {})
        for name, value in given.items():
            key = name[2:]
            if value in (None, False) and key in values:
                continue  # given before the command
            values[key] = [] if value is None and key in several else value
        return command, values

    parameters = [Parameter("ctx", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    parameters += [parameter(one, typer.Argument(metavar=one.metavar)) for one in command.arguments]
    parameters += [option_parameter(one) for one in command.options]
    signed(call, parameters)
    return call


def signed(call: Any, parameters: Sequence[Parameter]) -> None:
    """Give a function the signature that Typer shall see."""
    call.__signature__ = Signature(parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}


def option_parameter(option: Option) -> Parameter:
    if option.metavar is None:
        return parameter(option, typer.Option(*option.names))
    return parameter(option, typer.Option(*option.names, metavar=option.metavar))


def parameter(item: Argument | Option, info: Any) -> Parameter:
    kind: Any = bool if item.metavar is None else str
    default: Any = False if kind is bool else None
    if item.multiple:
        kind = Optional[list[str]]  # noqa: UP045
    elif kind is str:
        kind = Optional[str]  # noqa: UP045
    if getattr(item, "required", False):
        default = Parameter.empty
        kind = list[str] if item.multiple else str
    # The prefix: an option may be called like a word of Python's, --from for one.
    return Parameter(f"p_{item.key}", Parameter.KEYWORD_ONLY, annotation=Annotated[kind, info], default=default)


def root_callback() -> Callable[..., None]:
    def root(ctx: typer.Context, version: bool = False, **given: Any) -> None:
        if version:
            from qctl import __version__

            print(f"qctl {__version__}")
            raise typer.Exit
        keep(ctx, given)

    show = Annotated[bool, typer.Option("--version", "-V")]
    with_common(root, Parameter("version", Parameter.KEYWORD_ONLY, annotation=show, default=False))
    return root


def group_callback() -> Callable[..., None]:
    def sub(ctx: typer.Context, **given: Any) -> None:
        keep(ctx, given)

    with_common(sub)
    return sub


def with_common(call: Any, *own: Parameter) -> None:
    context = Parameter("ctx", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    signed(call, [context, *own, *map(option_parameter, COMMON)])


def keep(ctx: typer.Context, given: Values) -> None:
    """Keep what was given before the command for the command; show the help when there is none."""
    values = {name[2:]: value for name, value in given.items() if value not in (None, False)}
    ctx.obj = {**(ctx.obj or {}), **values}
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
        raise typer.Exit
