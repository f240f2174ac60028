"""`/`: the figures on one page. No outside resource; without JavaScript it reloads itself."""

from __future__ import annotations

import html

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--soft:#5c6370;--line:#d8dce2;--paper:#fff;
--good:#1a7f37;--warn:#8a5a00;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e4e6ea;--soft:#9aa2ae;--line:#363b43;--paper:#16181c;
--good:#4cc26e;--warn:#e0aa3e;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.1rem;margin:0 0 .5rem;display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
.healthy{color:var(--good)}.degraded{color:var(--warn)}.unhealthy{color:var(--bad)}
small,th,dt,.soft{color:var(--soft);font-weight:400}
ul{margin:.25rem 0 1rem;padding-left:1.2rem}
code{font:.9em ui-monospace,monospace;background:color-mix(in srgb,var(--line) 45%,transparent);padding:.1em .35em;border-radius:3px}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.6rem;margin:0 0 1.2rem}
dl div{border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem}
dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3rem .5rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere;white-space:normal;min-width:6rem}
footer{margin-top:1rem;color:var(--soft);font-size:.85rem}
"""
SCRIPT = """
async function again(){
  try{
    const answer=await fetch(location.href,{cache:"no-store"});
    if(!answer.ok)throw 0;
    const next=new DOMParser().parseFromString(await answer.text(),"text/html");
    document.querySelector("main").replaceWith(document.adoptNode(next.querySelector("main")));
    document.title=next.title;
  }catch(_){const f=document.querySelector("#live");if(f)f.textContent="no answer; these figures are old"}
  setTimeout(again,document.hidden?30000:5000);
}
setTimeout(again,5000);
"""


def policy() -> str:
    """The Content-Security-Policy under which the page's own style and script run, and nothing else."""
    import base64
    import hashlib

    def mark(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; style-src {mark(STYLE)}; script-src {mark(SCRIPT)}; connect-src 'self'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(stats: dict[str, Any], health: dict[str, Any], now: float, root: str) -> str:
    """The page. `root`: where it is mounted, "" or "/queue"."""
    from qctl.rules.when import iso, to_text

    status = health["status"]
    issues = "".join(
        f"<li>{safe(issue)} <span class=soft>→</span> <code>{safe(check['next'])}</code></li>"
        for issue, check in zip(health["issues"], [one for one in health["checks"] if not one["ok"]], strict=True)
    )
    cards = "".join(f"<div><dt>{name}</dt><dd>{safe(value)}</dd></div>" for name, value in cards_of(stats))
    rows = "".join(
        "<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in row_of(one)) + "</tr>" for one in stats["types"]
    )
    head = "".join(f"<th scope=col>{name}</th>" for name in HEAD)
    paused = "".join(
        f"<li>paused: {safe(one['scope'])} {safe(one['name'])} since {safe(one['paused_at'])}</li>"
        for one in stats["paused"]
    )
    links = " · ".join(
        f'<a href="{safe(root)}{path}">{path}</a>' for path in ("/health", "/metrics", "/admin/queue/stats")
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{status} · qctl</title><link rel="icon" href="data:,">'
        '<noscript><meta http-equiv="refresh" content="10"></noscript>'
        f"<style>{STYLE}</style></head><body><main>"
        f'<h1>qctl <span class="{status}">{status}</span></h1>'
        f"<ul>{issues}{paused}</ul><dl>{cards}</dl>"
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<footer><span id=live>as of {safe(iso(to_text(now)))}</span> · {links}</footer>"
        f"</main><script>{SCRIPT}</script></body></html>"
    )


HEAD = ("type", "pending", "running", "retry", "later", "dead", "oldest", "done", "failed", "run p50", "run p95")


def row_of(one: dict[str, Any]) -> list[str]:
    return [
        str(one["type"]),
        *(f"{one[key]:,}" if one[key] else "-" for key in ("pending", "processing", "retry", "delayed", "dead")),
        time_of(one["oldest_age"]),
        f"{one['completed']:,}",
        percent(one["failure_rate"]),
        time_of(one["run"]["p50"]),
        time_of(one["run"]["p95"]),
    ]


def cards_of(stats: dict[str, Any]) -> list[tuple[str, str]]:
    queue, workers = stats["queue"], stats["workers"]
    return [
        ("due", f"{queue['due']:,}"),
        ("running", f"{queue['processing']:,} of {workers['slots']:,}"),
        ("oldest due", time_of(queue["oldest_pending_age"])),
        ("dead letters", f"{stats['dead_letter_queue']['unreviewed']:,}"),
        ("a minute", f"{stats['rate_per_minute']:,.4g}"),
        ("failed attempts", percent(stats["failure_rate"])),
        ("wait p95", time_of(stats["wait"]["p95"])),
        ("run p95", time_of(stats["run"]["p95"])),
        ("workers", f"{workers['alive']:,}"),
        ("done, last hour", f"{queue['completed_last_hour']:,}"),
    ]


def time_of(value: float | None) -> str:
    from qctl.rules.clock import human

    return "-" if value is None else human(value)


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.3g} %"


def safe(value: object) -> str:
    """Text for HTML; control characters and what is no UTF-8 are shown, not sent."""
    text = "".join(one if one.isprintable() else "·" for one in str(value))
    return html.escape(text.encode("utf-8", "replace").decode())
