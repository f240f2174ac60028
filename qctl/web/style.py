"""How the page looks, and how it keeps itself fresh: the only style and script that its policy lets run."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--soft:#5b626e;--line:#d8dce2;--card:#f6f7f9;--paper:#fff;
--bar:#7d9bc8;--good:#1a7f37;--warn:#8a5a00;--bad:#b3261e;--link:#1f5fbf}
@media (prefers-color-scheme:dark){:root{--ink:#e4e6ea;--soft:#9aa2ae;--line:#333840;--card:#1e2126;--paper:#16181c;
--bar:#5f82b8;--good:#4cc26e;--warn:#e0aa3e;--bad:#ff7b72;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.2rem;margin:0 0 .75rem;display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
h1 span{color:var(--state);border:1px solid;border-radius:1em;padding:0 .6em;font-size:1rem}
h1 small{margin-left:auto}
.healthy{--state:var(--good)}.degraded{--state:var(--warn)}.unhealthy{--state:var(--bad)}
small,th,dt{color:var(--soft);font-weight:400;font-size:.875rem}
a{color:var(--link)}
ul{list-style:none;margin:0 0 1rem;padding:0}
li{border-left:3px solid var(--soft);padding:.1rem 0 .1rem .7rem;margin:.35rem 0;overflow-wrap:anywhere}
li.issue{border-color:var(--warn)}.unhealthy li.issue{border-color:var(--bad)}
code{font:.875rem ui-monospace,monospace;background:var(--card);border:1px solid var(--line);padding:.1em .4em;border-radius:4px;
display:inline-block;max-width:100%;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:repeat(4,1fr);gap:.6rem;margin:0 0 1rem}
dl div{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.5rem .75rem;min-width:0}
dl .two{grid-column:span 2}
dd{margin:0;font-size:1.4rem;line-height:1.3;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
dd.alarm{color:var(--bad)}
svg{display:block;fill:var(--bar)}
.two svg{width:100%;height:2.5rem;margin-top:.35rem}
td svg{width:4.5rem;height:1.1rem;margin-left:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.35rem .5rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;padding-left:0}
td.alarm{color:var(--bad)}td.none{color:var(--soft)}
td small{white-space:nowrap}
footer{margin-top:1rem;color:var(--soft);font-size:.875rem}
@media (max-width:56rem){
dl{grid-template-columns:repeat(2,1fr)}
table,tbody{display:block}
thead,td.none{display:none}
tr{display:grid;grid-template-columns:repeat(auto-fill,minmax(5.5rem,1fr));gap:.3rem .6rem;background:var(--card);
border:1px solid var(--line);border-radius:6px;padding:.5rem .75rem;margin-bottom:.6rem}
td,td:first-child{display:block;text-align:left;border:0;padding:0}
td::before{content:attr(data-name);display:block;color:var(--soft);font-size:.8rem;line-height:1.2}
td:first-child{grid-column:1/-1;font-weight:600}
td:first-child::before{content:none}
td svg{margin:.2rem 0 0}
}
"""
SCRIPT = """
const main=()=>document.querySelector("main");
async function again(){
  try{
    const answer=await fetch(location.href,{cache:"no-store"});
    if(!answer.ok)throw 0;
    const next=new DOMParser().parseFromString(await answer.text(),"text/html");
    if(getSelection().isCollapsed)main().replaceWith(document.adoptNode(next.querySelector("main")));
    document.title=next.title;
  }catch(_){const f=document.querySelector("#live");if(f)f.textContent="no answer: these figures are old"}
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
