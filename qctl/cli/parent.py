"""The job that a command line runs in: what `qctl enqueue` there stores belongs to it."""

from __future__ import annotations

import os

from qctl.model import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values

ALONE = ("wait", "follow")


def parent_of(values: Values) -> tuple[int, int] | None:
    """(number, lease) of the job that this runs in, if that is of the same queue file; None: there is none, or --now."""
    job, lease, db = (os.environ.get(name, "") for name in ("QCTL_JOB", "QCTL_LEASE", "QCTL_DB"))
    if values["now"] or not (job.isdigit() and lease.isdigit() and db):
        return None
    if values["db"] is not None and os.path.realpath(values["db"]) != os.path.realpath(db):
        return None
    for key in ALONE:
        if values[key]:
            raise BadValue(
                f"--{key}: this runs in job {job}, and what it enqueues waits for that to complete: give --now, too"
            )
    return int(job), int(lease)
