"""Starting a program: in a session of its own, with nothing of ours open, as fast as the system can."""

from __future__ import annotations

import errno
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULTED = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores them; a program must not
TRIED_NEXT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES)

found: dict[tuple[str, str], str] = {}
"""Where a program was found, by its name and the PATH it was looked up in."""


def spawn(
    words: Sequence[str], *, stdin: int, stdout: int, stderr: int, cwd: str | bytes | None, env: Mapping[str, str]
) -> int:
    """Start `words` with these descriptors as its standard streams; its pid, which is also its session and group.

    `cwd`: where it runs (None: here); `env`: all its variables, in whose PATH it is looked up. Raises OSError with the
    name of what is missing. From the main thread only: this process changes its directory for a moment, because
    posix_spawn, which is a quarter faster than subprocess, has no word for it.
    """
    actions = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    ]
    home = -1
    if cwd is not None:
        home = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if cwd is not None:
            os.chdir(cwd)
        return start(words, env, actions)
    finally:
        if home >= 0:
            os.fchdir(home)
            os.close(home)


def start(words: Sequence[str], env: Mapping[str, str], actions: list[tuple[int, int, int]]) -> int:
    """Try the places where the program may be, the one where it was last time first."""
    name, path = words[0], env.get("PATH", os.defpath)
    problem: OSError | None = None
    for place in places(name, path):
        try:
            pid = os.posix_spawn(place, list(words), env, file_actions=actions, setsid=True, setsigdef=DEFAULTED)
        except OSError as error:
            if error.errno not in TRIED_NEXT:
                error.filename = name
                raise
            if problem is None or error.errno == errno.EACCES:
                problem = error
            continue
        if place is not name and place.startswith("/"):
            found[name, path] = place
        return pid
    number = errno.ENOENT if problem is None else problem.errno
    raise OSError(number, os.strerror(number or errno.ENOENT), name)


def places(name: str, path: str) -> Iterator[str]:
    if "/" in name:
        yield name
        return
    known = found.get((name, path))
    if known:
        yield known
    for folder in path.split(os.pathsep):
        yield os.path.join(folder or ".", name)
