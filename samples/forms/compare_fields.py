"""Compare a results.fields.csv of the form's pages with expected.csv; the exit code is 1 if they differ.

    batchocr run samples/forms/pages --form samples/forms/form.toml --out results.csv
    python samples/forms/compare_fields.py results.fields.csv

The command ends with exit code 3, because one page is of another form.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

REFUSED = "refused"
"""In the column `value` of expected.csv: the page is of another form, and no field of it may be read."""

Place = tuple[str, str, str]
"""File, page and field."""
Content = tuple[str, str]
"""Text and value."""


def read_fields(path: Path) -> dict[Place, Content]:
    """Return text and value of each field."""
    with path.open(newline="", encoding="utf-8") as stream:
        return {(row["file"], row["page"], row["field"]): (row["text"], row["value"]) for row in csv.DictReader(stream)}


def main(
    fields: Annotated[Path, typer.Argument(help="The results.fields.csv of a run over samples/forms/pages.")],
) -> None:
    """Report the fields that differ from what is expected."""
    listed = read_fields(Path(__file__).with_name("expected.csv"))
    expected = {place: content for place, content in listed.items() if content[1] != REFUSED}
    got = read_fields(fields)
    differ = [place for place in sorted(expected.keys() | got.keys()) if expected.get(place) != got.get(place)]
    for place in differ:
        wanted, found = expected.get(place, "no field"), got.get(place, "no field")
        typer.echo(f"{' '.join(place)}: expected {wanted}, read {found}", err=True)
    typer.echo(f"{len(expected)} fields expected, {len(got)} read, {len(differ)} differ")
    raise typer.Exit(bool(differ))


if __name__ == "__main__":
    typer.run(main)
