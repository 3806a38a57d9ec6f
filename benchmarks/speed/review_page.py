"""The review page with many digits: its size, frames per second while it scrolls, and the time of a key press.

The run is drawn: pages of 400 digits in numbers of four, of which each fifth is marked. Needs Chromium.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from in_chromium import Presses, opened, press

from batchocr.output.table_kinds import BASIC
from batchocr.review.page.build import compose_page, write_page

LINES, NUMBERS, DIGITS = 20, 5, 4  # on a page, in a line, in a number
WIDTH, HEIGHT = 1240, 1754  # A4 at 150 dpi
_SCROLL = """(seconds) => new Promise((done) => {
  const grid = document.querySelector(".grid"), start = performance.now(), frames = [];
  const frame = (now) => {
    frames.push(now);
    grid.scrollTop = (grid.scrollTop + 60) % Math.max(1, grid.scrollHeight - grid.clientHeight);
    if (now - start < 1000 * seconds) return requestAnimationFrame(frame);
    const gaps = frames.slice(1).map((each, n) => each - frames[n]).sort((a, b) => a - b);
    done([1000 * gaps.length / (frames.at(-1) - frames[0]), gaps[Math.floor(gaps.length * 0.99)]]);
  };
  requestAnimationFrame(frame);
})"""


def main(
    digits: Annotated[int, typer.Option(min=400, help="Digits of the run.")] = 20_000,
    scroll_s: Annotated[float, typer.Option(min=1, help="Seconds to scroll.")] = 8.0,
    presses: Annotated[int, typer.Option(min=1, help="Key presses to measure of each key.")] = 60,
    keep: Annotated[Path | None, typer.Option(help="Write the page to this file, and keep it.")] = None,
) -> None:
    """Draw a run of many digits, write its review page, and measure size, frames per second and key presses."""
    with tempfile.TemporaryDirectory() as folder:
        results = draw_run(Path(folder), digits)
        html = keep or Path(folder) / "review.html"
        started = time.perf_counter()
        text, built = compose_page(results, scans=[results.parent / "scans"])
        write_page(text, html)
        seconds = time.perf_counter() - started
        typer.echo(f"{built.items} items, {html.stat().st_size / 1e6:.1f} MB, written in {seconds:.1f} s")
        measure(html, scroll_s, presses)


def measure(html: Path, scroll_s: float, presses: int) -> None:
    """Open the page and print its figures."""
    started = time.perf_counter()
    with opened(html) as page:
        typer.echo(f"opened in {time.perf_counter() - started:.1f} s, with the start of Chromium")
        page.locator("[data-kind=digit]").click()
        frames, slow = page.evaluate(_SCROLL, scroll_s)
        typer.echo(f"scrolling a group: {frames:.1f} frames per second, 99% of the frames within {slow:.0f} ms")
        page.locator(".grid").focus()
        told("group, arrow", press(page, ["ArrowRight"] * presses))
        told("group, digit", press(page, ["1"] * presses))
        page.locator("[data-kind=number]").click()
        told("number, Enter", press(page, ["Enter"] * presses))
        told("number, Space", press(page, [" "] * presses))


def told(what: str, times: Presses) -> None:
    """Print the times of key presses."""
    typer.echo(
        f"{what}: median {times.script_ms:.1f} ms of script, {times.painted_ms:.1f} ms until it is painted "
        f"(at most {times.slowest_ms:.0f} ms), {times.presses} presses"
    )


def draw_run(folder: Path, digits: int) -> Path:
    """Write scans and the tables of a run over them.

    Args:
        folder: Where the results and the folder `scans` are written.
        digits: Digits of the run; it is rounded up to whole pages.

    Returns:
        The results file.
    """
    chance = random.Random(1)
    (folder / "scans").mkdir()
    rows: dict[str, list[dict[str, Any]]] = {kind.name: [] for kind in BASIC}
    for page in range(-(-digits // (LINES * NUMBERS * DIGITS))):
        _draw_page(folder / "scans" / f"{page:04}.png", chance, rows)
    for kind in BASIC:
        name = "results.csv" if kind.name == "digits" else f"results.{kind.name}.csv"
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in kind.columns])
            writer.writeheader()
            writer.writerows(rows[kind.name])
    settings = {"form": [], "max_megapixels": 250.0}
    (folder / "results.run.json").write_text(json.dumps({"run": "drawn", "settings": settings}))
    return folder / "results.csv"


def _draw_page(path: Path, chance: random.Random, rows: dict[str, list[dict[str, Any]]]) -> None:
    pixels = np.full((HEIGHT, WIDTH), 245, np.uint8)
    common = {"file": path.name, "page": 1, "origin": "hand"}
    for line in range(LINES):
        for number in range(NUMBERS):
            left, top, found = 90 + 225 * number, 70 + 82 * line, []
            marks = "low-confidence" if chance.random() < 0.2 else ""
            for position in range(DIGITS):
                digit, x, y = chance.randrange(10), left + 30 * position, top + chance.randrange(-3, 4)
                scale, pen = chance.uniform(1.1, 1.4), chance.choice((2, 3))
                cv2.putText(pixels, str(digit), (x, y + 32), cv2.FONT_HERSHEY_SIMPLEX, scale, 30, pen, cv2.LINE_AA)
                sure = chance.uniform(0.4, 0.8) if marks and position == 0 else chance.uniform(0.9, 1.0)
                found.append((digit, sure))
                place = {"line": line + 1, "number": number + 1, "position": position + 1, "digit": digit}
                choice = {"confidence": round(sure, 4), "second": (digit + 1) % 10, "second_confidence": 0.01}
                box = {"left": x, "top": y, "width": 28, "height": 34, "review": marks if position == 0 else ""}
                rows["digits"].append(common | place | choice | box)
            text = "".join(str(digit) for digit, _ in found)
            reading = {"text": text, "digits": text, "confidence": round(min(sure for _, sure in found), 4)}
            box = {"left": left, "top": top - 3, "width": 30 * DIGITS, "height": 40, "review": marks}
            rows["numbers"].append(common | {"line": line + 1, "number": number + 1} | reading | box)
    cv2.imwrite(str(path), pixels)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    size = {"status": "read", "width": WIDTH, "height": HEIGHT, "angle": 0.0, "lines": LINES, "sha256": sha256}
    counts = {"numbers": LINES * NUMBERS, "digits": LINES * NUMBERS * DIGITS, "printed": 0, "review": 0, "seconds": 1}
    rows["pages"].append({"file": path.name, "page": 1} | size | counts)


if __name__ == "__main__":
    typer.run(main)
