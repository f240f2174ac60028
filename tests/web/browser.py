"""A real browser without a window, driven through a pipe: Chromium's own protocol, and nothing to install beside it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 30.0  # seconds for an answer


def find() -> str | None:
    """The browser of this machine, if it has one: $CHROMIUM, or one of NAMES."""
    given = os.environ.get("CHROMIUM")
    return given if given else next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """`with Browser() as browser:` one page, of any size and colour scheme."""

    def __init__(self, program: str) -> None:
        self.place = tempfile.mkdtemp(prefix="qctl-browser-")
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()

        def hand_over() -> None:  # it reads from 3 and writes to 4
            low = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(low[0], 3)
            os.dup2(low[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-pipe", f"--user-data-dir={self.place}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=hand_over, pass_fds=(3, 4),
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self.number = 0
        self.rest = b""
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self.session = None
            self.ask("Browser.close")
            self.process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.place, ignore_errors=True)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and wait for its answer."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data) :]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def receive(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            if not select([self.into], [], [], PATIENCE)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.into, 1 << 20)
            if not more:
                raise OSError("the browser is gone")
            self.rest += more
        data, _, self.rest = self.rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(data)
        return answer

    def open(self, url: str, width: int = 1280, height: int = 800, scheme: str = "light", script: bool = True) -> None:
        """Show a page, and wait until it has been loaded."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Emulation.setScriptExecutionDisabled", value=not script)
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def wait_for(self, event: str) -> dict[str, Any]:
        """The first such event since `open`, waiting for it."""
        while True:
            for one in self.events:
                if one.get("method") == event:
                    return one
            self.events.append(self.receive())

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is, on the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def complaints(self) -> list[str]:
        """What the page wrote to its console, threw, or could not load."""
        self.value("0")  # what was under way is here then
        found = []
        for event in self.events:
            method, said = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(said["exceptionDetails"]["text"])
            elif method == "Runtime.consoleAPICalled":
                found.append(str(said["args"]))
            elif method == "Log.entryAdded":
                found.append(said["entry"]["text"])
            elif method == "Network.loadingFailed":
                found.append(said["errorText"])
        return found

    def first_paint(self) -> float:
        """Milliseconds from the start of the navigation to the first content on the screen."""
        end = time.monotonic() + 10
        asks = "performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)"
        while not (found := self.value(asks)):
            assert time.monotonic() < end, "nothing was painted"
            time.sleep(0.01)
        return float(found[0])

    def picture(self, *, whole: bool = False) -> bytes:
        """What is on the screen, or the whole page, as PNG."""
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])
