"""Commands at enqueue: found now, where the person can still mend a typing error, and run where they were enqueued."""

from __future__ import annotations

import os

from qctl.model import BadValue
from qctl.rules.newjob import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.model import NewJob


def settle(job: NewJob) -> None:
    """Give a command job its directory, and make sure that its program exists. Raises BadValue."""
    if job.cwd is None:
        try:
            job.cwd = os.getcwd()
        except FileNotFoundError:
            raise BadValue("cwd: the present directory is gone: change to another, or give --cwd") from None
    else:
        job.cwd = os.path.abspath(os.path.expanduser(job.cwd))
        if not os.path.isdir(job.cwd):
            raise BadValue(f"cwd: {shown(job.cwd)} is no directory")
    command = job.command or ""
    if not command.startswith('["/bin/sh","-c",'):
        import json

        find(json.loads(command)[0], job.cwd, (json.loads(job.env) if job.env else {}).get("PATH"))


def settled(command: str) -> str:
    """A command (JSON array) that workers run wherever they stand: its program exists, and a path is a full one."""
    import json

    from qctl.rules.newjob import command_text

    words = json.loads(command)
    find(words[0], os.getcwd(), None)
    if "/" in words[0]:
        words[0] = os.path.abspath(words[0])
    return command_text(words, None) or command


def find(program: str, cwd: str, path: str | None) -> None:
    """Raises BadValue when there is no such program for a process in `cwd` with this PATH."""
    if "/" in program:
        places = [os.path.join(cwd, program)]
    else:
        folders = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
        places = [os.path.join(cwd, folder, program) for folder in folders]
    found = False
    for place in places:
        if os.path.isfile(place):
            if os.access(place, os.X_OK):
                return
            found = True
    if found:
        raise BadValue(f"command: {shown(program)} may not be executed: `chmod +x` it, or give its interpreter first")
    raise BadValue(f"command: {shown(program)} was not found: check the name, or give its full path")
