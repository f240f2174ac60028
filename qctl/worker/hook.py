"""`qctl_hook`: the type that every worker can run, which tells a URL what happened. Commands need no handler."""

from __future__ import annotations

from qctl.rules.hooks import TYPE, is_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PATIENCE = 15.0  # seconds for the answer
__all__ = ["TYPE", "qctl_hook"]


def qctl_hook(url: str, event: dict[str, Any]) -> dict[str, Any]:
    """POST the event as JSON; any answer but 2xx is an error, and the job is tried again. Returns the `status`."""
    import json
    import urllib.error
    import urllib.request

    if not is_url(url):
        raise ValueError("a hook's URL begins with http:// or https://")
    headers = {"Content-Type": "application/json", "User-Agent": "qctl"}
    request = urllib.request.Request(url, json.dumps(event).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # nosec B310: its scheme was looked at
            return {"status": answer.status}
    except urllib.error.HTTPError as error:
        with error:
            raise RuntimeError(f"the hook answered {error.code} {error.reason}") from None
