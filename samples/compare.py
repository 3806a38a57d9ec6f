"""Compare a results.numbers.csv of these samples with expected.csv; the exit code is 1 if they differ.

`batchocr run samples --out results.csv && python samples/compare.py results.numbers.csv`
"""

from __future__ import annotations

import csv
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import typer

COLUMNS = ("file", "page", "text")
FORMS = "forms/"
"""The folder of the form, whose pages have their own list and program."""


def rows(path: Path) -> list[tuple[str, ...]]:
    """Return file, page and text of each number, in order, without the pages of the form."""
    with path.open(newline="", encoding="utf-8") as file:
        found = [tuple(row[column] for column in COLUMNS) for row in csv.DictReader(file)]
    return [row for row in found if not row[0].startswith(FORMS)]


def main(numbers: Annotated[Path, typer.Argument(help="The results.numbers.csv of a run over the samples.")]) -> None:
    """Report the numbers that differ from what is expected."""
    expected, got = rows(Path(__file__).with_name("expected.csv")), rows(numbers)
    differences = [pair for pair in zip_longest(expected, got) if pair[0] != pair[1]]
    for wanted, read in differences[:20]:
        typer.echo(f"expected {wanted}, read {read}", err=True)
    typer.echo(f"{len(expected)} numbers expected, {len(got)} read, {len(differences)} places differ")
    raise typer.Exit(bool(differences))


if __name__ == "__main__":
    typer.run(main)
