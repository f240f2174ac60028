"""Command lines, and what they read, that a careless person, a broken script or somebody who means ill might give."""

from __future__ import annotations

import random
from collections.abc import Callable

from qctl.cli.commands import COMMANDS, DEFAULT_SUBCOMMANDS, GROUPS, HIDDEN, load

BLOCKING = {"work", "serve", "wait", "demo", "once", "completion"}
"""Commands that go on until something comes, or start programs."""

NOT_GIVEN = {
    "--wait",
    "--follow",
    "--watch",
    "--db",
    "--wait-timeout",
    "--busy-timeout",
    "--exit-code",
    "--rate",
    "--output",
}
WORDS = [
    "", "-", "--", "@", "@no-such", "0", "1", "2", "3", "-1", "1-3", "9" * 25, "1e9", "NaN", "inf", "0x10", "١", "²", "a", "mail",
    "default", "command", "pending", "failed,completed", "normal", "critical", "{}", "[]", '{"a":1}', '{"a":', '{"a":NaN}', "null",
    "to=x", "n:=3", "n:=[", "=", ":=", "a:b:=1", "5m", "1h30m", "5", "5 m", "1y", "-5m", "99999999w", "0.5s", "12:00", "25:00",
    "tomorrow 09:00", "2026-02-30", "2026-03-29T02:30:00", "9999-12-31T23:59:59Z", "0001-01-01", "+5m", "now", "yesterday", "fri",
    "linear:30s", "exponential:1s,max=1h", "fixed:", "fixed:1s,max", "30/m", "0/s", "1/0s", "5/", "10%", "1g", "64m", "-1k", "off",
    "* * * * *", "*/5 * * * 1-5", "0 0 31 2 *", "@daily", "60 * * * *", "* * * * * *", "Europe/Berlin", "Mars/Olympus", "../../x",
    "dlq == 0", "p95(run) < 30s", "(((", "pending >", "1 == 1 and", "failed/total < 0.1", "queue.file", "order.toml", "jobs.ndjson",
    "copy.db", "max_payload", "min_free", "health.max_age", "undo_for", "\x1b[2J\x1b]0;x\x07", "\u202eevil", "\ud800", "caf\udce9",
    "\r\nX", "%s%n", "' OR 1=1 --", "'; DROP TABLE jobs", "x" * 5000, "日本語", "🙂", "\x7f\x9b31m", "a\tb", "type",
]  # fmt: skip
PIECES = list("0123456789:-+./,*@#%{}[]()<>=!&|\"' \t\\abdhmswxTZé\udcff")
FLOW = """name = "order"
[vars]
number = "1"
[steps.charge]
command = ["true"]
[steps.pack]
shell = "echo ${vars.number}"
needs = ["charge"]
max_attempts = 2
[steps.mail]
type = "mail"
payload = {to = "ana"}
after_any = ["pack"]
"""
JOB = '{"type":"mail","payload":{"n":1},"priority":5,"in":"5m","key":"k","tags":["a"],"max_attempts":3,"backoff":"fixed:1s"}'
RECORDS = [
    '{"record":"qctl","format":1,"schema":1,"jobs":1}',
    '{"record":"job","number":7,"id":"i-7","type":"a","payload":"{}","status":"pending","needs":[{"id":"i-7","kind":"ended","met":0}]}',
    '{"record":"dead_letter","id":"d","original_job_id":"i-7","type":"a"}',
    '{"record":"setting","name":"max_payload","value":"2048"}',
    '{"record":"limit","scope":"type","name":"a","rate":1,"rate_period":1.0}',
    '{"record":"schedule","id":"c","type":"a","cron_expression":"* * * * *"}',
]


class Line:
    """A command line with what stands in its files and on stdin."""

    def __init__(self, argv: list[str], stdin: bytes = b"", files: dict[str, bytes] | None = None) -> None:
        self.argv, self.stdin, self.files = argv, stdin, files or {}

    def __repr__(self) -> str:
        return f"{self.argv!r} < {self.stdin[:300]!r} {self.files!r}"


def word(chance: random.Random) -> str:
    """A word, a spoiled word, or rubbish."""
    kind = chance.random()
    if kind < 0.7:
        return chance.choice(WORDS)
    if kind < 0.85:
        return spoiled(chance, chance.choice(WORDS)[:200])
    return "".join(chance.choices(PIECES, k=chance.randrange(12)))


def spoiled(chance: random.Random, text: str) -> str:
    """The text with a few characters taken out, put in, doubled or exchanged."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        how = chance.randrange(4)
        if how == 0:
            text = text[:at] + text[at + chance.randint(1, 5) :]
        elif how == 1:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif how == 2:
            text = text[:at] + text[max(0, at - 8) : at] + text[at:]
        else:
            text = text[:at] + chance.choice(WORDS)[:20] + text[at + 1 :]
    return text


def argv(chance: random.Random) -> Line:
    name = chance.choice([one for one in COMMANDS if one not in BLOCKING and one not in HIDDEN])
    sub = chance.choice([*GROUPS[name], None]) if name in GROUPS else None
    command = load(name, sub or DEFAULT_SUBCOMMANDS[name]) if name in GROUPS else load(name)
    words = [name, *([sub] if sub else [])]
    own = [option for option in command.options if option.names[0] not in NOT_GIVEN]
    for _argument in command.arguments:
        if chance.random() < 0.85:
            words.append(word(chance))
    for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
        option = chance.choice(own)
        given = chance.choice(option.names)
        if option.metavar is None:
            words.append(given)
        elif chance.random() < 0.5 and given.startswith("--"):
            words.append(f"{given}={word(chance)}")
        else:
            words += [given] if chance.random() < 0.1 else [given, word(chance)]
    if chance.random() < 0.1:
        words.insert(chance.randrange(len(words) + 1), word(chance))
    if command.tail and chance.random() < 0.3:
        words += ["--", *[word(chance) for _ in range(chance.randrange(3))]]
    return Line(words, stdin=word(chance).encode("utf-8", "surrogatepass"))


def ndjson(chance: random.Random) -> Line:
    lines = [spoiled(chance, JOB) if chance.random() < 0.7 else JOB for _ in range(chance.randint(1, 4))]
    atomic = ["--atomic"] if chance.random() < 0.5 else []
    return Line(["enqueue", "--from", "-", *atomic], stdin="\n".join(lines).encode("utf-8", "surrogatepass"))


def records(chance: random.Random) -> Line:
    lines = [
        spoiled(chance, one) if chance.random() < 0.6 else one for one in chance.sample(RECORDS, chance.randint(1, 6))
    ]
    return Line(["import", "-"], stdin="\n".join(lines).encode("utf-8", "surrogatepass"))


def times(chance: random.Random) -> Line:
    texts = ["2026-10-25T02:30:00+01:00", "tomorrow 09:00", "12:30", "+1h30m", "2026-01-02 03:04:05.678", "1h30m"]
    option = chance.choice(["--at", "--in", "--expires", "--timeout", "--backoff", "--key-for", "--since"])
    name = "list" if option == "--since" else "enqueue"
    return Line([name, *(["a"] if name == "enqueue" else []), option, spoiled(chance, chance.choice(texts))])


def cron(chance: random.Random) -> Line:
    fields = [chance.choice(["*", "*/5", "0", "1-5", "mon", "L", "31", "1,2", "59", "feb"]) for _ in range(5)]
    text = spoiled(chance, " ".join(fields)) if chance.random() < 0.6 else " ".join(fields)
    return Line(["cron", "add", "a", text, *(["--tz", word(chance)] if chance.random() < 0.2 else [])])


def expression(chance: random.Random) -> Line:
    texts = [
        "dlq == 0 and p95(run) < 30s",
        "pending{type=mail} <= 10 or failed == 0",
        "not (failure_rate > 5%)",
        "oldest < 1h",
    ]
    return Line(["assert", spoiled(chance, chance.choice(texts))])


def flow(chance: random.Random) -> Line:
    text = spoiled(chance, FLOW).encode("utf-8", "surrogatepass")
    return Line(
        ["flow", "run", "order.toml", *(["--var", word(chance)] if chance.random() < 0.2 else [])],
        files={"order.toml": text},
    )


KINDS: tuple[Callable[[random.Random], Line], ...] = (argv, argv, argv, ndjson, records, times, cron, expression, flow)


def line(chance: random.Random) -> Line:
    made = chance.choice(KINDS)(chance)
    made.argv = [one.replace("\0", "") for one in made.argv]
    return made
