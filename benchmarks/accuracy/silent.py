"""Count silent errors, which are wrong rows without a mark, and right rows with a mark.

`python benchmarks/accuracy/silent.py KEPT` prints a line for each set in a folder that `public_sets.py --keep` wrote.
A row is the digits of all numbers of one line of a page, from `results.numbers.csv`. True rows and rows read are paired
in order so that the fewest digits differ. A row is marked if one of its numbers has a `review` or its page has `marks`.
A true row that was not read is marked only if its page is.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer


@dataclass(frozen=True)
class Row:
    """A row that was read."""

    digits: str
    marked: bool


@dataclass
class Count:
    """Numbers of rows of a set."""

    right: int = 0
    right_marked: int = 0
    wrong: int = 0
    wrong_marked: int = 0
    invented: int = 0
    """Rows read where none is written, without a mark."""

    def __str__(self) -> str:
        rows = self.right + self.wrong
        silent = self.wrong - self.wrong_marked
        return (
            f"{rows} | {self.right / rows:.1%} | {silent / rows:.1%} | "
            f"{self.right_marked / max(1, self.right):.1%} | {self.invented}"
        )


def distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: digits to change, add or remove."""
    costs = np.arange(len(other) + 1)
    for character in one:
        changed = costs[:-1] + np.array([character != c for c in other], int)
        fresh = np.empty_like(costs)
        fresh[0] = costs[0] + 1
        for at in range(len(other)):
            fresh[at + 1] = min(changed[at], costs[at + 1] + 1, fresh[at] + 1)
        costs = fresh
    return int(costs[-1])


def pairs(written: Sequence[str], read: Sequence[Row]) -> list[tuple[int | None, int | None]]:
    """Pair true rows with rows read, in order and at the lowest cost; None is the index of a missing partner."""
    costs = np.zeros((len(written) + 1, len(read) + 1), int)
    costs[1:, 0] = np.cumsum([len(each) for each in written])
    costs[0, 1:] = np.cumsum([len(each.digits) for each in read])
    for i, true in enumerate(written):
        for j, row in enumerate(read):
            costs[i + 1, j + 1] = min(
                costs[i, j] + distance(true, row.digits), costs[i, j + 1] + len(true), costs[i + 1, j] + len(row.digits)
            )
    found: list[tuple[int | None, int | None]] = []
    i, j = len(written), len(read)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + distance(written[i - 1], read[j - 1].digits):
            i, j = i - 1, j - 1
            found.append((i, j))
        elif i and costs[i, j] == costs[i - 1, j] + len(written[i - 1]):
            i -= 1
            found.append((i, None))
        else:
            j -= 1
            found.append((None, j))
    return found[::-1]


def count(written: Sequence[str], read: Sequence[Row], page_marked: bool, total: Count) -> None:
    """Add the rows of a page to the total."""
    for true, found in pairs(written, read):
        row = Row("", page_marked) if found is None else read[found]
        marked = row.marked or page_marked
        if true is None:
            total.invented += not marked
        elif row.digits == written[true]:
            total.right += 1
            total.right_marked += marked
        else:
            total.wrong += 1
            total.wrong_marked += marked


def rows_of(path: Path) -> dict[str, list[Row]]:
    """Read the rows of each file from `results.numbers.csv`, in order."""
    lines: dict[str, dict[tuple[int, int], list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lines[row["file"]][int(row["page"]), int(row["line"])].append(row)
    return {
        name: [
            Row("".join(n["digits"] for n in numbers), any(n["review"] for n in numbers))
            for _, numbers in sorted(of_file.items())
        ]
        for name, of_file in lines.items()
    }


def written_rows(known: Any) -> list[str]:
    """Return the true rows of a file: those of `{"rows": [...]}`, or one row of all numbers with boxes."""
    if isinstance(known, Mapping):
        return [row for row in known["rows"] if row]
    return ["".join(c for number in known for c in number["text"] if c.isdigit())]


def main(
    kept: Annotated[Path, typer.Argument(help="Folder that public_sets.py kept, with a folder for each set.")],
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Folder of a set; the default is all with rows. May repeat.")
    ] = None,
) -> None:
    """Print a row for each set."""
    typer.echo("set | rows | right | wrong without mark | right with mark | extra without mark")
    for name in sets or ["orand-car-a-val", "lectaurep-val", "copiste-val", "cases"]:
        folder = kept / name
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        read = rows_of(folder / "results.numbers.csv")
        with (folder / "results.pages.csv").open(newline="", encoding="utf-8") as file:
            marked = {row["file"] for row in csv.DictReader(file) if row["marks"] or row["status"] == "failed"}
        total = Count()
        for file_name, known in truth.items():
            count(written_rows(known), read.get(file_name, []), file_name in marked, total)
        typer.echo(f"{name} | {total}")


if __name__ == "__main__":
    typer.run(main)
