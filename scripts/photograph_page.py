"""Photograph an HTML page in headless Chromium, as a telephone and a desktop show it, light and dark.

    python scripts/photograph_page.py PAGE.html DIR [--width 390 ...] [--height PIXELS] [--scheme light ...]

Writes DIR/NAME-WIDTH-SCHEME.png for each and says of each whether something is wider than the screen,
which exits with 1. --height cuts the picture to its first pixels. Chromium is spoken to over pipes, by
its DevTools protocol.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TOO_WIDE = """(() => { const room = document.documentElement.clientWidth;
  const inside = e => e.closest('.wide') || e.closest('[hidden]') || e.closest('thead');
  return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > room + 1
    && !inside(e)).map(e => e.tagName + '.' + (e.className.baseVal ?? e.className)).slice(0, 5)
    .concat(document.documentElement.scrollWidth > room ? ['the page scrolls sideways'] : []); })()"""


class Browser:
    """A headless Chromium with one page open."""

    def __init__(self, program: str) -> None:
        self._numbers = itertools.count(1)
        read_here, self._to = os.pipe()
        self._from, write_here = os.pipe()
        self._profile = tempfile.TemporaryDirectory()

        def hand_over() -> None:  # Chromium reads from descriptor 3 and writes to 4
            spare = [os.dup(read_here), os.dup(write_here)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self._process = subprocess.Popen(
            [
                program,
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--remote-debugging-pipe", "--disable-dev-shm-usage", "--no-first-run"),
                f"--user-data-dir={self._profile.name}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=hand_over,
        )
        os.close(read_here)
        os.close(write_here)
        self._unread = b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str = attached["sessionId"]

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and give its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def wait(self, event: str) -> None:
        """Wait until an event comes."""
        while self._read().get("method") != event:
            pass

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            part = os.read(self._from, 1 << 16)
            if not part:
                raise RuntimeError("Chromium ended")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


def photograph(
    browser: Browser, page: Path, width: int, scheme: str, height: int | None
) -> tuple[bytes, list[str]]:
    """The page as PNG, and what is wider than the screen."""
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
    )
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call("Page.enable")
    browser.call("Page.navigate", url=page.resolve().as_uri())
    browser.wait("Page.loadEventFired")
    wide = browser.call("Runtime.evaluate", expression=TOO_WIDE, returnByValue=True)["result"].get(
        "value", []
    )
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": width, "height": height or size["height"], "scale": 1}
    shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(shot["data"]), list(wide)


def main() -> int:
    """Photograph one page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, nargs="+", default=[390, 1280])
    parser.add_argument("--scheme", nargs="+", choices=("light", "dark"), default=["light", "dark"])
    parser.add_argument("--height", type=int)
    asked = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print(f"there is none of {', '.join(BROWSERS)} on this machine", file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    faults = 0
    with Browser(program) as browser:
        for width, scheme in itertools.product(asked.width, asked.scheme):
            picture, wide = photograph(browser, asked.page, width, scheme, asked.height)
            target = asked.out / f"{asked.page.stem}-{width}-{scheme}.png"
            target.write_bytes(picture)
            print(f"{target}: {'too wide: ' + ', '.join(wide) if wide else 'nothing is too wide'}")
            faults += bool(wide)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
