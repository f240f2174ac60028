"""The read-only endpoints as a WSGI application, to be served by `qctl serve` or mounted in another application."""

from __future__ import annotations

import hmac
import json

from qctl.model import QctlError
from qctl.rules.health import UNHEALTHY, UNKNOWN
from qctl.web.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import Any

    from qctl.web.snapshot import Figures

    Answer = tuple[str, str, bytes, list[tuple[str, str]]]

JSON = "application/json; charset=utf-8"
ALWAYS = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
]


class Application:
    """`GET /admin/queue/stats`, `/health`, `/metrics`, `/` of the queue file at `path`.

    `token`: what a request must bring, as `Authorization: Bearer TOKEN` or as the password of Basic; None: nothing.
    `hosts`: the names that a Host header may give, without a port; None: any.
    A request opens the file, reads, and lets go of it before the first byte of the answer is sent; of a large queue it
    tells what was read a moment ago: see web/snapshot.py.
    """

    def __init__(self, path: str, *, token: str | None = None, hosts: Container[str] | None = None) -> None:
        self.path = path
        self.token = token
        self.hosts = hosts
        self.snapshot = Snapshot(path)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, kind, body, headers = self.answer(environ)
        length = ("Content-Length", str(len(body)))
        start_response(status, [("Content-Type", kind), length, *ALWAYS, *headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def answer(self, environ: dict[str, Any]) -> Answer:
        if self.hosts is not None and host_of(environ) not in self.hosts:
            return wrong("421 Misdirected Request", "this Host is not served here: use the address that was printed")
        if self.token is not None and not brings(environ.get("HTTP_AUTHORIZATION", ""), self.token):
            return wrong(
                "401 Unauthorized",
                "give the token: Authorization: Bearer TOKEN, or as the password of Basic",
                ("WWW-Authenticate", 'Basic realm="qctl", charset="UTF-8"'),
            )
        path = environ.get("PATH_INFO") or "/"
        view = VIEWS.get(path)
        if view is None:
            return wrong("404 Not Found", f"there is {', '.join(VIEWS)}")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return wrong("405 Method Not Allowed", "this only reads: use GET", ("Allow", "GET, HEAD"))
        try:
            return view(self.snapshot.figures(), environ)
        except QctlError as error:
            if path == "/health":
                return as_json("503 Service Unavailable", {"status": UNKNOWN, "issues": [str(error)]})
            return wrong("503 Service Unavailable", str(error))


def host_of(environ: dict[str, Any]) -> str:
    """The Host of a request in lower case, without its port."""
    host: str = environ.get("HTTP_HOST", "").strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def brings(header: str, token: str) -> bool:
    """Whether an Authorization header has the token."""
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        import base64

        try:
            value = base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(value.encode("utf-8", "replace"), token.encode("utf-8", "replace"))


def wrong(status: str, why: str, *headers: tuple[str, str]) -> Answer:
    code, kind, body, _ = as_json(status, {"error": why})
    return code, kind, body, list(headers)


def as_json(status: str, value: Any) -> Answer:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return status, JSON, (text + "\n").encode("utf-8", "replace"), []


def stats(figures: Figures, environ: dict[str, Any]) -> Answer:
    from qctl.web.lesson import lesson_shape

    found, _health, at = figures
    return as_json("200 OK", lesson_shape(found, at))


def health(figures: Figures, environ: dict[str, Any]) -> Answer:
    verdict = figures[1]
    return as_json("503 Service Unavailable" if verdict["status"] == UNHEALTHY else "200 OK", verdict)


def metrics(figures: Figures, environ: dict[str, Any]) -> Answer:
    from qctl.web.metrics import CONTENT_TYPE, exposition

    return "200 OK", CONTENT_TYPE, exposition(*figures), []


def front(figures: Figures, environ: dict[str, Any]) -> Answer:
    from qctl.web.page import page
    from qctl.web.style import policy

    text = page(*figures, environ.get("SCRIPT_NAME", ""))
    return "200 OK", "text/html; charset=utf-8", text.encode(), [("Content-Security-Policy", policy())]


VIEWS: dict[str, Callable[[Figures, dict[str, Any]], Answer]] = {
    "/": front,
    "/health": health,
    "/metrics": metrics,
    "/admin/queue/stats": stats,
}
