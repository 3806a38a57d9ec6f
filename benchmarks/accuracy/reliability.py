"""Confidence against error on sets whose rows are known, and how many digits without a mark are wrong.

`python benchmarks/accuracy/reliability.py KEPT --set orand-car-a-val` reads a folder that `public_sets.py --keep` left.
True rows and found ones are paired as in `silent.py`; of a pair each found digit is the true one that it is laid on
with the fewest edits, or wrong. A digit is marked where it, its number or its page is. Beside the share of wrong ones
among those without a mark stands its upper bound by pages, with 95% certainty (`recognition.error_bounds`).
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from silent import Row, pairs, written_rows

from batchocr.evaluation.plots import reliability
from batchocr.recognition.error_bounds import design_effect, error_bounds

EDGES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0001)


@dataclass
class Digits:
    """Digits that were read, of all files of a set."""

    confidence: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    marked: list[bool] = field(default_factory=list)
    page: list[int] = field(default_factory=list)


def laid_on(read: str, true: str) -> list[bool]:
    """Which characters of `read` are those of `true`, laid on each other with the fewest edits."""
    costs = np.zeros((len(read) + 1, len(true) + 1), int)
    costs[:, 0], costs[0] = np.arange(len(read) + 1), np.arange(len(true) + 1)
    for i, own in enumerate(read):
        for j, other in enumerate(true):
            costs[i + 1, j + 1] = min(costs[i, j] + (own != other), costs[i, j + 1] + 1, costs[i + 1, j] + 1)
    right = [False] * len(read)
    i, j = len(read), len(true)
    while i and j:
        same = read[i - 1] == true[j - 1]
        if costs[i, j] == costs[i - 1, j - 1] + (not same):
            i, j = i - 1, j - 1
            right[i] = same
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return right


def digits_of(folder: Path) -> Digits:
    """The digits of a kept set."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    with (folder / "results.pages.csv").open(newline="", encoding="utf-8") as file:
        pages = {row["file"] for row in csv.DictReader(file) if row["marks"]}
    with (folder / "results.numbers.csv").open(newline="", encoding="utf-8") as file:
        numbers = {
            (row["file"], row["page"], row["line"], row["number"]) for row in csv.DictReader(file) if row["review"]
        }
    lines: dict[str, dict[tuple[int, int], list[tuple[str, float, bool]]]] = defaultdict(lambda: defaultdict(list))
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            own = row["file"], row["page"], row["line"], row["number"]
            marked = bool(row["review"]) or own in numbers or row["file"] in pages
            at = int(row["page"]), int(row["line"])
            lines[row["file"]][at].append((row["digit"], float(row["confidence"]), marked))
    found = Digits()
    for page, (name, known) in enumerate(truth.items()):
        read = [line for _, line in sorted(lines.get(name, {}).items())]
        rows = [Row("".join(digit for digit, _, _ in line), False) for line in read]
        true = written_rows(known)
        for i, j in pairs(true, rows):
            if j is None:
                continue
            right = laid_on(rows[j].digits, "" if i is None else "".join(c for c in true[i] if c.isdigit()))
            found.confidence += [confidence for _, confidence, _ in read[j]]
            found.marked += [marked for _, _, marked in read[j]]
            found.right += right
            found.page += [page] * len(right)
    return found


def main(
    kept: Annotated[Path, typer.Argument(help="What public_sets.py kept: a folder a set.")],
    sets: Annotated[list[str], typer.Option("--set", help="A folder of it.")],
    plot: Annotated[Path | None, typer.Option(help="Draw a reliability diagram of all of them.")] = None,
) -> None:
    """Print a table a set."""
    every = Digits()
    for name in sets:
        found = digits_of(kept / name)
        confidence, right, marked = (np.array(each) for each in (found.confidence, found.right, found.marked))
        typer.echo(f"\n{name}\n\n| confidence | digits | mean | right |\n|---|---|---|---|")
        for low, high in pairwise(EDGES):
            which = (confidence >= low) & (confidence < high)
            if which.any():
                told = f"{which.sum():,} | {confidence[which].mean():.3f} | {right[which].mean():.1%}"
                typer.echo(f"| {low:g} to {min(high, 1):g} | {told} |")
        wrong, count = int((~right & ~marked).sum()), int((~marked).sum())
        page = np.array(found.page)[~marked]
        bound = error_bounds(wrong, count, design_effect(right[~marked], page))[1] if count else 1.0
        typer.echo(
            f"\nof {count:,} digits without a mark {wrong} are wrong, {wrong / max(1, count):.2%} (at most {bound:.2%})"
        )
        every.confidence += found.confidence
        every.right += found.right
    if plot is not None:
        reliability(np.array(every.confidence), np.array(every.right), plot)


if __name__ == "__main__":
    typer.run(main)
