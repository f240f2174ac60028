"""A small HTTP server for the application: so many threads at the most, and no client may take longer than so long."""

from __future__ import annotations

import socket
import threading
import time
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qctl.web.app import Application

MOST = 32  # requests at the same time; others wait in the backlog
LONGEST = 20.0  # seconds that a connection may last, whatever the client does


class Handler(WSGIRequestHandler):
    """Gives up on a client that says nothing, and keeps no log."""

    timeout = 10.0

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""

    def handle(self) -> None:
        try:
            super().handle()
        except (TimeoutError, ConnectionError):
            self.close_connection = True


class Server(ThreadingMixIn, WSGIServer):
    """Serves an application until `shutdown`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, application: Application) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.slots = threading.BoundedSemaphore(MOST)
        self.open: dict[socket.socket, float] = {}
        super().__init__((host, port), Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Without asking a name server what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        while not self.slots.acquire(timeout=0.5):
            self.service_actions()
        self.open[request] = time.monotonic() + LONGEST
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.open.pop(request, None)
            self.slots.release()

    def service_actions(self) -> None:
        """Hang up on clients that took too long; called twice a second."""
        now = time.monotonic()
        for request, until in list(self.open.items()):
            if now > until:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has hung up itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is its own affair; the next one is served."""
