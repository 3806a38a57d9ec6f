"""Where vision's time goes: processor milliseconds a page of each of its steps, and of decoding, on one thread.

`python benchmarks/steps.py pages/` prints the mean over the pages of a folder, the best of three turns, without what a
step spends in another one that is listed.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer

from batchocr.sources import BadPage, find_scans, load_pages
from batchocr.vision import find

TURNS = 3


class Clock:
    """Processor time by step."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._within: list[float] = []

    def timed(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            self._within.append(0.0)
            start = time.process_time()
            try:
                return step(*given, **named)
            finally:
                whole = time.process_time() - start
                self.spent[name] += whole - self._within.pop()
                if self._within:
                    self._within[-1] += whole

        return run


def main(pages: Annotated[Path, typer.Argument(help="A folder of pages.")]) -> None:
    """Print a table of milliseconds a page."""
    cv2.setNumThreads(1)
    module = sys.modules[find.__module__]
    steps = {
        name: step
        for name, step in vars(module).items()
        if inspect.isfunction(step) and step.__module__.startswith("batchocr.vision") and name != "find"
    }
    scans = find_scans([pages]).scans
    turns = []
    for _ in range(TURNS):
        clock = Clock()
        for name, step in steps.items():
            setattr(module, name, clock.timed(name.lstrip("_"), step))
        decode = clock.timed("decoding", lambda scan: next(load_pages(scan)))
        for scan in scans:
            page = decode(scan)
            if isinstance(page, BadPage):
                raise page.error
            clock.timed("find", find)(page.pixels, page.dpi)
        turns.append({name: 1000 * spent / len(scans) for name, spent in clock.spent.items()})
    least = {name: min(turn[name] for turn in turns) for name in turns[0]}
    decoding = least.pop("decoding")
    typer.echo(f"{len(scans)} pages\n\n| step | ms a page |\n|---|---|\n| decoding | {decoding:.1f} |")
    typer.echo(f"| vision | {sum(least.values()):.1f} |")
    for name, spent in sorted(least.items(), key=lambda each: -each[1]):
        typer.echo(f"| `{name}` | {spent:.1f} |")


if __name__ == "__main__":
    typer.run(main)
