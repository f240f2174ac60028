"""Starting a handler process: a socket for what it and its worker say to each other, and two pipes for what it prints."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from qctl.worker.output import STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = "import sys; sys.path.append(sys.argv.pop(1)); from qctl.worker.child import main; main()"
"""The process finds this very qctl, however the present one found it."""


def launch(
    environment: Mapping[str, str], tickets: int, nonce: bytes, begun: int, mark: Sequence[str] = ()
) -> tuple[subprocess.Popen[bytes], socket.socket, dict[int, int]]:
    """The process, our end of its socket, and the pipes with the stream of each; its arguments are told in child.py.

    Raises OSError when the system has no room for it; nothing is left open then.
    """
    fds: list[int] = []
    sock, other = socket.socketpair()
    try:
        out = os.pipe()
        fds += out
        err = os.pipe()
        fds += err
        process = subprocess.Popen(
            [sys.executable, "-c", START, ROOT, *map(str, (other.fileno(), tickets, nonce.hex(), os.getpid(), begun)), *mark],
            stdin=subprocess.DEVNULL,
            stdout=out[1],
            stderr=err[1],
            pass_fds=[fd for fd in (other.fileno(), tickets, begun) if fd >= 0],
            start_new_session=True,
            env=environment,
        )  # fmt: skip
    except OSError:
        for fd in fds:
            os.close(fd)
        sock.close()
        raise
    finally:
        other.close()
    for fd in (out[1], err[1]):
        os.close(fd)
    for fd in (out[0], err[0]):
        os.set_blocking(fd, False)
    sock.setblocking(False)
    return process, sock, {out[0]: STDOUT, err[0]: STDERR}
