"""Compare confidence with measured accuracy on sets with known rows, and count wrong digits without a mark.

`python benchmarks/accuracy/reliability.py KEPT --set orand-car-a-val` reads a folder that `public_sets.py --keep`
wrote. True rows and rows read are paired as in `silent.py`. In a pair, the digits are aligned with the fewest edits; a
digit is right if it is equal to the true digit at its place. A digit counts as marked if the digit, its number or its
page has a mark. For digits without a mark, the share of wrong ones and its upper bound are printed; the bound takes
clusters on pages into account and has 95% certainty (`recognition.error_bounds`).
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
    """The digits read from all files of a set."""

    confidence: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    marked: list[bool] = field(default_factory=list)
    page: list[int] = field(default_factory=list)


def aligned_right(read: str, true: str) -> list[bool]:
    """Return which characters of `read` are right, after alignment with `true` with the fewest edits."""
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
    """Read the digits of a set from its folder."""
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
            right = aligned_right(rows[j].digits, "" if i is None else "".join(c for c in true[i] if c.isdigit()))
            found.confidence += [confidence for _, confidence, _ in read[j]]
            found.marked += [marked for _, _, marked in read[j]]
            found.right += right
            found.page += [page] * len(right)
    return found


def main(
    kept: Annotated[Path, typer.Argument(help="Folder that public_sets.py kept, with a folder for each set.")],
    sets: Annotated[list[str], typer.Option("--set", help="Folder of a set. May repeat.")],
    plot: Annotated[Path | None, typer.Option(help="PNG file for a reliability diagram of all sets.")] = None,
) -> None:
    """Print a table for each set."""
    every = Digits()
    for name in sets:
        found = digits_of(kept / name)
        confidence, right, marked = (np.array(each) for each in (found.confidence, found.right, found.marked))
        typer.echo(f"\n{name}\n\n| confidence | digits | mean | right |\n|---|---|---|---|")
        for lower, upper in pairwise(EDGES):
            which = (confidence >= lower) & (confidence < upper)
            if which.any():
                cells = f"{which.sum():,} | {confidence[which].mean():.3f} | {right[which].mean():.1%}"
                typer.echo(f"| {lower:g} to {min(upper, 1):g} | {cells} |")
        wrong, count = int((~right & ~marked).sum()), int((~marked).sum())
        page = np.array(found.page)[~marked]
        bound = error_bounds(wrong, count, design_effect(right[~marked], page))[1] if count else 1.0
        typer.echo(
            f"\n{wrong} of {count:,} digits without a mark are wrong: {wrong / max(1, count):.2%}, at most {bound:.2%}"
        )
        every.confidence += found.confidence
        every.right += found.right
    if plot is not None:
        reliability(np.array(every.confidence), np.array(every.right), plot)


if __name__ == "__main__":
    typer.run(main)
