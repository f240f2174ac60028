"""`cleanup_completed_jobs`: the type that every worker can run, so that a schedule can keep a queue small by itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPE = "cleanup_completed_jobs"


def cleanup_completed_jobs(older_than: str | float | None = None) -> dict[str, Any]:
    """Delete jobs that completed over `older_than` ago (default: the setting purge.older_than, else 7 days), as
    `qctl purge` does. Runs in a handler process, whose queue file is $QCTL_DB. Returns `deleted`, `forgotten`
    (what was done once, if the setting purge.once says so) and `bytes_returned`."""
    import os
    import time

    from qctl.model import COMPLETED
    from qctl.rules.newjob import seconds
    from qctl.rules.settings import known
    from qctl.store.sqlite.purge import purge
    from qctl.store.sqlite.store import SQLiteStore

    store = SQLiteStore(os.environ["QCTL_DB"], create=False)
    try:
        setting = known("purge.older_than")
        age = older_than if older_than is not None else store.setting(setting.name) or setting.default
        done = purge(store, time.time(), [COMPLETED], seconds("older_than", age), 0, None, False, None)
    finally:
        store.close()
    return {name: done[name] for name in ("deleted", "forgotten", "bytes_returned")}
