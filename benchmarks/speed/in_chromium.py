"""The review page in headless Chromium: how long a key press takes until it is painted."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_WATCH = """() => {
  window.pressed = [];
  window.addEventListener("keydown", (event) => {
    const start = performance.now();
    queueMicrotask(() => setTimeout(() => {
      const done = performance.now();
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.pressed.push([done - start, performance.now() - start]);
        channel.port2.postMessage(0);
      });
    }));
  }, { capture: true });
}"""


class Presses(NamedTuple):
    """The time of key presses."""

    presses: int
    script_ms: float
    """Median time until the script of the page has ended, in milliseconds."""
    painted_ms: float
    """Median time until the next frame is painted, in milliseconds."""
    slowest_ms: float
    """The longest time until the next frame is painted, in milliseconds."""


@contextmanager
def opened(html: Path, width: int = 1280, height: int = 800) -> Iterator[Any]:
    """Open a page from disk in headless Chromium. Ends this program if the page reports a fault.

    Args:
        html: The page.
        width: Width of the window in pixels.
        height: Height of the window in pixels.

    Yields:
        The page of Playwright.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        page = browser.new_page(viewport={"width": width, "height": height})
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(html.resolve().as_uri())
        page.wait_for_selector("nav button")
        page.evaluate(_WATCH)
        yield page
        browser.close()
        if faults:
            raise SystemExit(f"the page reports: {faults[0]}")


def press(page: Any, keys: Sequence[str]) -> Presses:
    """Press keys one after the other, each when the one before was painted, and measure how long each takes."""
    page.evaluate("() => { window.pressed = []; }")
    for count, key in enumerate(keys, 1):
        page.keyboard.press(key)
        page.wait_for_function("(count) => window.pressed.length >= count", arg=count)
    return summary(page.evaluate("() => window.pressed"))


def summary(times: Sequence[Sequence[float]]) -> Presses:
    """Return the medians of pairs of times in milliseconds: script, painted."""
    script, painted = zip(*times, strict=True)
    return Presses(len(times), statistics.median(script), statistics.median(painted), max(painted))
