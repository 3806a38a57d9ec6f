"""Run the command over generated pages and collect the rows and pages of each file."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]


@dataclass
class ReadFile:
    """The rows that a run wrote for one file."""

    digits: list[Row] = field(default_factory=list)
    numbers: list[Row] = field(default_factory=list)
    pages: list[Row] = field(default_factory=list)

    @property
    def page_marks(self) -> str:
        """The marks of its pages, joined by `;`; empty if there are none."""
        return ";".join(page["marks"] for page in self.pages if page["marks"])

    @property
    def unmarked(self) -> list[Row]:
        """Digits without any mark on the digit, its number or its page."""
        if self.page_marks:
            return []
        marked = {(n["page"], n["line"], n["number"]) for n in self.numbers if n["review"]}
        return [d for d in self.digits if not d["review"] and (d["page"], d["line"], d["number"]) not in marked]


def read_files(scans: Path | Sequence[Path], out: Path, *options: str) -> dict[str, ReadFile]:
    """Read scans with the command and return their rows by file name. Ends this program if the command fails."""
    given = [str(scans)] if isinstance(scans, Path) else [str(scan) for scan in scans]
    command = [sys.executable, "-m", "batchocr", "run", *given, "--out", str(out), "--quiet", "--fresh", *options]
    ended = subprocess.run(command).returncode
    if ended:
        raise SystemExit(f"batchocr ended with {ended}")
    found: dict[str, ReadFile] = defaultdict(ReadFile)
    for name, path in (
        ("digits", out),
        ("numbers", out.with_suffix(".numbers.csv")),
        ("pages", out.with_suffix(".pages.csv")),
    ):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                getattr(found[row["file"]], name).append(row)
    return found
