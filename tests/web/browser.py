"""A headless Chromium for tests, by its DevTools protocol over a WebSocket: pages, scripts, pictures."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
PATIENCE = 60.0  # seconds for a page


class Page:
    """One page of the browser."""

    def __init__(self, channel: Any) -> None:
        self._channel, self._number = channel, 0
        self.problems: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol; what it returns."""
        self._number += 1
        self._channel.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            message = json.loads(self._channel.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)
        raise TimeoutError(method)

    def _note(self, message: dict[str, Any]) -> None:
        """Keep what the page complains of."""
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """The first value of an expression that is true."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            try:
                value = self.run(script)
            except RuntimeError:  # the page is not there yet
                value = None
            if value:
                return value
            time.sleep(0.05)
        state = self.run("document.body.innerText")
        raise TimeoutError(f"{script} never became true; the page says {state!r}, and complains of {self.problems}")

    def picture(self, selector: str) -> bytes:
        """A PNG of an element as it is shown."""
        box = self.run(f"JSON.stringify(document.querySelector({selector!r}).getBoundingClientRect())")
        place = json.loads(box)
        clip = {name: place[name] for name in ("x", "y", "width", "height")} | {"scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"])


@contextmanager
def browser() -> Iterator[Page]:
    """A page of a new browser, which is ended afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        running = subprocess.Popen(
            [
                *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
                *("--disable-dev-shm-usage", "--force-device-scale-factor=1", "--window-size=1100,1400"),
                *("--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = _port_of(Path(profile))
            pages = httpx.get(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE).json()
            url = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            with connect(url, max_size=1 << 28) as channel:
                yield Page(channel)
        finally:
            running.terminate()
            running.wait(20)


def _port_of(profile: Path) -> int:
    """The port that a new browser listens on, which it writes into its profile."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            found = re.match(r"(\d+)\n", (profile / "DevToolsActivePort").read_text())
        except OSError:
            found = None
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise TimeoutError("the browser does not start")
