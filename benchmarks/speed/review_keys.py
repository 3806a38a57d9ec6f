"""A review of a run by keyboard alone: key presses, and the time that the page itself needs for each decision.

Each number and field is accepted with Enter, and each group of digits is confirmed screen by screen. What a person
needs to look at the writing comes on top. Needs Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from in_chromium import opened, press

from batchocr.review.page.build import compose_page, write_page

SAMPLES = Path(__file__).parents[2] / "samples"
_LEFT = "() => document.querySelector('.progress').textContent.match(/^([0-9]+) of ([0-9]+)/).slice(1).map(Number)"
_READY = "() => new Promise((done) => setTimeout(done, 200))"


def main(
    scans: Annotated[Path, typer.Argument(help="Scans to read and to review.")] = SAMPLES,
    form: Annotated[Path | None, typer.Option(help="Form file of the scans.")] = None,
    blank: Annotated[Path | None, typer.Option(help="Blank form of the scans.")] = None,
) -> None:
    """Read scans, and review what was read with the keys of the review page."""
    with tempfile.TemporaryDirectory() as folder:
        results, html = Path(folder) / "results.csv", Path(folder) / "review.html"
        options = [*(("--form", form) if form else ()), *(("--blank", blank) if blank else ())]
        command = [sys.executable, "-m", "batchocr", "run", scans, "--out", results, "--device", "cpu", "--quiet"]
        ended = subprocess.run([*map(str, [*command, *options])], check=False)
        if ended.returncode not in (0, 3):
            raise SystemExit(f"batchocr ended with exit code {ended.returncode}")
        write_page(compose_page(results, scans=[scans], known_share=0.0)[0], html)
        with opened(html) as page:
            for name in page.locator("[data-kind]").all_inner_texts():
                if name != "Pages":
                    page.get_by_role("button", name=name, exact=True).click()
                    _review(page, name)


def _review(page: Any, name: str) -> None:
    """Press Enter until all of a view is decided, and print what it took."""
    before, times = page.evaluate(_LEFT)[0], []
    while True:
        done, all_items = page.evaluate(_LEFT)
        if done == all_items:
            break
        page.evaluate(_READY)  # the images of the next screen are decoded
        times.append(press(page, ["Enter"]))
    decisions = done - before
    own = sum(each.painted_ms for each in times)
    typer.echo(
        f"{name}: {decisions} decisions, {len(times)} key presses, {own / max(decisions, 1):.1f} ms of the page each"
    )


if __name__ == "__main__":
    typer.run(main)
