"""`qctl serve`: the figures over HTTP, read-only."""

from __future__ import annotations

import os
import signal
import sys

from qctl.cli.options import open_queue, queue_path
from qctl.cli.spec import Command, Option
from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from qctl.cli.spec import Values

HOST, PORT = "127.0.0.1", 8787
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Stop(BaseException):
    """SIGTERM."""


def stop(number: int, frame: FrameType | None) -> None:
    raise Stop


def run(values: Values) -> int:
    from qctl.rules.newjob import whole
    from qctl.web.app import Application
    from qctl.web.server import Server

    host = (values["host"] or HOST).strip("[]")
    port = whole("--port", values["port"] or str(PORT), 0, 65535)
    token = os.environ.get("QCTL_TOKEN") if values["token"] is None else values["token"]
    if token is not None and not (token.strip() and token.isprintable()):
        raise BadValue("--token: it is empty, or has control characters: give a secret such as $(openssl rand -hex 16)")
    inside = is_loopback(host)
    if not inside and token is None:
        raise BadValue(f"--host: {host[:60]} can be reached from outside: give --token, or set QCTL_TOKEN")
    open_queue(values).close()  # what is no queue is said now, and not at the first request
    names = {*LOOPBACK, f"[{host}]" if ":" in host else host.lower()} if inside else None
    application = Application(queue_path(values), token=token, hosts=names)
    try:
        server = Server(host, port, application)
    except OSError as error:
        raise BadValue(f"--host, --port: {host[:60]}, port {port}: {error.strerror}: use another") from None
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{server.server_port}/"
    if values["json"]:
        from qctl.cli.render import object_json

        url = object_json({"url": url})
    before = signal.signal(signal.SIGTERM, stop)
    try:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        server.serve_forever()
    except Stop:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        server.server_close()
    return 0


def is_loopback(host: str) -> bool:
    import ipaddress

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


SERVE = Command(
    "serve",
    "Serve the figures over HTTP: a page, health, metrics.",
    run,
    Option("--host", metavar="ADDRESS", help="Where to listen (default 127.0.0.1); elsewhere than loopback takes a token."),
    Option("--port", metavar="N", help="The port (default 8787; 0: any that is free)."),
    Option("--token", metavar="SECRET", help="What a request must bring (default: $QCTL_TOKEN, which no `ps` shows)."),
    epilog=(
        "qctl serve",
        "curl http://127.0.0.1:8787/admin/queue/stats",
        "QCTL_TOKEN=secret qctl serve --host 0.0.0.0",
    ),
)  # fmt: skip
