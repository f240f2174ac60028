"""`/`: the figures on one page. No outside resource; without JavaScript it reloads itself."""

from __future__ import annotations

import html

from qctl.rules.clock import duration_text, human
from qctl.web.style import SCRIPT, STYLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LINKS = ("/health", "/metrics", "/admin/queue/stats")


def page(stats: dict[str, Any], health: dict[str, Any], now: float, root: str) -> str:
    """The page. `root`: where it is mounted, "" or "/queue"."""
    status, window = health["status"], duration_text(stats["window"])
    links = " · ".join(f'<a href="{safe(root)}{path}">{path[1:]}</a>' for path in LINKS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{status} · qctl</title><link rel="icon" href="data:,">'
        '<noscript><meta http-equiv="refresh" content="10"></noscript>'
        f'<style>{STYLE}</style></head><body><main class="{status}">'
        f"<h1>qctl <span>{status}</span> <small id=live>as of {safe(when(now, now))}</small></h1>"
        f"<ul>{''.join(lines(stats, health, now))}</ul><dl>{''.join(cards(stats, window))}</dl>"
        f"{table(stats, window)}<footer>{safe(schedules(stats['schedules'], now))}{links}</footer>"
        f"</main><script>{SCRIPT}</script></body></html>"
    )


def lines(stats: dict[str, Any], health: dict[str, Any], now: float) -> list[str]:
    """What is wrong, what is worth knowing, what is paused: each with the command to run next."""
    from shlex import quote

    from qctl.rules.when import from_text

    failed = [one for one in health["checks"] if not one["ok"]]
    found = [line(issue, check["next"], "issue") for issue, check in zip(health["issues"], failed, strict=True)]
    found += [line(note["text"], note["next"]) for note in health["notes"]]
    for one in stats["paused"]:
        scope, name = one["scope"], one["name"]
        what = "everything" if scope == "all" else f"{scope} {name}"
        words = "--all" if scope == "all" else f"--queue {quote(name)}" if scope == "queue" else quote(name)
        found.append(
            line(f"‖ {what} is paused, for {human(now - from_text(one['paused_at']))}", f"qctl resume {words}")
        )
    if not stats["workers"]["alive"] and stats["queue"]["due"]:
        found.append(line("jobs wait and no worker runs", "qctl work"))
    return found


def line(text: str, next_: str, kind: str = "note") -> str:
    return f'<li class="{kind}">{safe(text)} → <code>{safe(next_)}</code></li>'


def cards(stats: dict[str, Any], window: str) -> list[str]:
    queue, workers, dead = stats["queue"], stats["workers"], stats["dead_letter_queue"]["unreviewed"]
    depth = stats["depth"]
    change = depth[-1] - depth[0]
    trend = f"{change:+,} in {window}" if change else f"no change in {window}"
    done = [sum(column) for column in zip(*[one["history"] for one in stats["types"]], strict=True)]
    alive = f"{workers['alive']:,} worker{'' if workers['alive'] == 1 else 's'}"
    return [
        card("due", f"{queue['due']:,}"),
        card("oldest due", time_of(queue["oldest_pending_age"])),
        card("running", f"{queue['processing']:,}", f"of {workers['slots']:,}, {alive}"),
        card("dead letters", f"{dead:,}", alarm=bool(dead)),
        card("not ended", f"{depth[-1]:,}", trend, depth),
        card("done", f"{stats['completed']:,}", f"in {window}, {rate(stats['rate_per_minute'])} a minute", done),
        card("failed attempts", percent(stats["failure_rate"])),
        card("waited, p95", time_of(stats["wait"]["p95"])),
        card("ran, p50", time_of(stats["run"]["p50"])),
        card("ran, p95", time_of(stats["run"]["p95"])),
    ]


def card(name: str, value: str, more: str = "", bars: Sequence[int] = (), *, alarm: bool = False) -> str:
    small = f" <small>{safe(more)}</small>" if more else ""
    kind = ' class="alarm"' if alarm else ""
    return (
        f"<div{' class=two' if bars else ''}><dt>{safe(name)}</dt><dd{kind}>{safe(value)}{small}</dd>"
        f"{chart(bars, f'{name}, in each eighth of the time') if bars else ''}</div>"
    )


def chart(counts: Sequence[int], name: str) -> str:
    """Bars, drawn as SVG; nothing of it needs a style of its own."""
    top = max(counts, default=0) or 1
    bars = "".join(
        f'<rect x="{place * 10}" y="{40 - size}" width="8" height="{size}"/>'
        for place, count in enumerate(counts)
        if (size := -(-count * 40 // top))
    )
    label = f"{safe(name)}: {', '.join(f'{count:,}' for count in counts)}"
    width = len(counts) * 10 - 2
    return f'<svg viewBox="0 0 {width} 40" preserveAspectRatio="none" role="img" aria-label="{label}">{bars}</svg>'


def table(stats: dict[str, Any], window: str) -> str:
    """The types. On a narrow screen each is a card of its own, with a name at each figure and none that is nothing."""
    if not stats["types"]:
        return "<p>no job yet → <code>qctl enqueue --help</code></p>"
    names = ("due", "running", "retry", "later", "blocked", "dead", "oldest", f"done/{window}", "failed", "p50", "p95",
             f"last {window}")  # fmt: skip
    head = "".join(f"<th scope=col>{name}</th>" for name in ("type", *names))
    rows = "".join(
        f"<tr><td>{safe(one['type'])}{held(one['type'], stats)}</td>"
        + "".join(cell(name, value) for name, value in zip(names, row_of(one), strict=True))
        + "</tr>"
        for one in stats["types"]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def cell(name: str, value: str) -> str:
    kind = "none" if value == "-" else "alarm" if name == "dead" else ""
    shown = value if value.startswith("<svg") else safe(value)
    return f'<td data-name="{safe(name)}" class="{kind}">{shown}</td>'


def row_of(one: dict[str, Any]) -> list[str]:
    counts = ("pending", "processing", "retry", "delayed", "blocked", "dead")
    return [
        *(f"{one[key]:,}" if one[key] else "-" for key in counts),
        time_of(one["oldest_age"]),
        f"{one['completed']:,}" if one["completed"] else "-",
        percent(one["failure_rate"]),
        time_of(one["run"]["p50"]),
        time_of(one["run"]["p95"]),
        chart(one["history"], f"{one['type']}, done in each eighth of the time") if any(one["history"]) else "-",
    ]


def held(type_: str, stats: dict[str, Any]) -> str:
    """What holds a type back: that it is paused, or what it is limited to."""
    found = ["paused" for one in stats["paused"] if (one["scope"], one["name"]) == ("type", type_)]
    for one in stats["throttled"]:
        if (one["scope"], one["name"]) == ("type", type_):
            if one["rate"] is not None:
                found.append(f"{one['rate']}/{duration_text(one['rate_period']).removeprefix('1')}")
            if one["concurrency"] is not None:
                found.append(f"{one['concurrency']} at once")
    return f" <small>{safe(', '.join(found))}</small>" if found else ""


def schedules(found: dict[str, Any], now: float) -> str:
    from qctl.rules.when import from_text

    if not found["total"]:
        return ""
    text = f"{found['total']:,} schedule{'' if found['total'] == 1 else 's'}"
    if found["next_at"]:
        text += f", next {when(from_text(found['next_at']), now)}"
    return text + (f", {found['paused']:,} paused" if found["paused"] else "") + " · "


def when(at: float, now: float) -> str:
    """A time in UTC, as nobody knows where the reader is; the day only where it is another one."""
    from qctl.rules.when import to_text

    text = to_text(at)
    return f"{text[11:19]} UTC" if text[:10] == to_text(now)[:10] else f"{text[:16]} UTC"


def time_of(value: float | None) -> str:
    return "-" if value is None else human(value)


def rate(value: float) -> str:
    return f"{round(value):,}" if value >= 1 or not value else f"{value:.2g}"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f} %"


def safe(value: object) -> str:
    """Text for HTML; control characters and what is no UTF-8 are shown, not sent."""
    text = "".join(one if one.isprintable() else "·" for one in str(value))
    return html.escape(text.encode("utf-8", "replace").decode())
