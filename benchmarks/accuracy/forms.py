"""Measure how well fields of forms are read, from a results.fields.csv and the truth.

    python benchmarks/accuracy/forms.py truth.csv results.fields.csv
    python benchmarks/accuracy/forms.py truth.csv --pages DIR --form form.toml

The truth has the columns `file,page,field,text`, and perhaps `kind` and `note`, as `benchmarks/pages/filled_forms.py`
writes it. The second call runs `batchocr run DIR --form form.toml` first. A table has a row for each kind of field, and
for each note:

- digits: true digits; of these wrong: edit distance over the digits of the fields.
- fields: true fields; of these wrong: another text was read.
- silent: wrong and not marked, which means that the status is `ok` or `empty`.
- marked: of the right fields, those with the status `review` or `invalid`; then those with `corrected`.
- refused: fields of pages without any row. They are in no other column.

Texts are compared with their signs; an empty mark is the same as 0. The expected calibration error compares the
confidence of the fields with the share that is right, in ten bins, for fields in which something was read.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from silent import distance

UNMARKED, MARKED, CORRECTED = ("ok", "empty"), ("review", "invalid"), "corrected"
REFUSED = "refused"
BINS = 10
HEAD = (
    "| fields of | digits | digits wrong | fields | wrong | silent | right, marked | right, corrected | refused |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Pair:
    """A true field and what was read."""

    file: str
    field: str
    kind: str
    note: str
    true: str
    read: str
    status: str
    """The status of the field, or REFUSED."""
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the text is right."""
        return self.true == self.read

    @property
    def is_silent(self) -> bool:
        """Whether the text is wrong and the field is not marked."""
        return not self.is_right and self.status in UNMARKED


def plain(text: str, kind: str) -> str:
    """Return a text as it is compared."""
    return "" if kind == "mark" and text == "0" else text.replace(" ", "")


def read_pairs(truth: Path, fields: Path) -> list[Pair]:
    """Pair each true field with its row in results.fields.csv."""
    with fields.open(newline="", encoding="utf-8-sig") as stream:
        found = {(row["file"], row["page"], row["field"]): row for row in csv.DictReader(stream)}
    with_rows = {(file, page) for file, page, _ in found}
    pairs, unknown = [], set()
    with truth.open(newline="", encoding="utf-8-sig") as stream:
        for true in csv.DictReader(stream):
            page, kind = (true["file"], true["page"]), true.get("kind") or "field"
            row = found.get((*page, true["field"]))
            if row is None and page in with_rows:
                unknown.add(true["field"])
                continue
            read, status, confidence = (row["text"], row["status"], row["confidence"]) if row else ("", REFUSED, "0")
            text = plain(true["text"], kind)
            pairs.append(
                Pair(
                    true["file"],
                    true["field"],
                    kind,
                    true.get("note") or "",
                    text,
                    plain(read, kind),
                    status,
                    float(confidence),
                )
            )
    if unknown:
        raise typer.BadParameter(
            f"{fields.name} has no field {', '.join(sorted(unknown))}: is it of another form file?"
        )
    return pairs


def digits(text: str) -> str:
    """Return the digits of a text."""
    return "".join(filter(str.isdigit, text))


def share(part: int, whole: int) -> str:
    """Return a number and its share of another."""
    return f"{part} ({part / whole:.2%})" if whole else str(part)


def table_row(name: str, pairs: list[Pair]) -> str:
    """Return a row of the table."""
    refused = sum(pair.status == REFUSED for pair in pairs)
    pairs = [pair for pair in pairs if pair.status != REFUSED]
    written = sum(len(digits(pair.true)) for pair in pairs if pair.kind != "mark")
    wrong = sum(distance(digits(pair.true), digits(pair.read)) for pair in pairs if pair.kind != "mark")
    right = [pair for pair in pairs if pair.is_right]
    cells = (
        name,
        written,
        share(wrong, written),
        len(pairs),
        share(len(pairs) - len(right), len(pairs)),
        share(sum(pair.is_silent for pair in pairs), len(pairs)),
        share(sum(pair.status in MARKED for pair in right), len(right)),
        share(sum(pair.status == CORRECTED for pair in right), len(right)),
        refused,
    )
    return f"| {' | '.join(map(str, cells))} |"


def groups(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Return the pairs of each kind of field, and of each note; fields with a note are only under their note."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair.note or pair.kind].append(pair)
    return dict(sorted(found.items(), key=lambda item: (item[1][0].note, item[0])))


def calibration(pairs: list[Pair]) -> str:
    """Return the bins of confidence, and the expected calibration error, of fields in which something was read."""
    read = [pair for pair in pairs if pair.read and pair.status != REFUSED]
    if not read:
        return "No field was read."
    confidence = np.array([pair.confidence for pair in read])
    right = np.array([pair.is_right for pair in read])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    lines, error = ["| confidence | fields | mean confidence | right |", "|---|---|---|---|"], 0.0
    for each in np.unique(bins):
        own = bins == each
        error += own.sum() * abs(confidence[own].mean() - right[own].mean())
        lines.append(
            f"| {each / BINS:.1f} to {(each + 1) / BINS:.1f} | {own.sum()} | {confidence[own].mean():.2%} "
            f"| {right[own].mean():.2%} |"
        )
    return "\n".join([*lines, "", f"Expected calibration error of fields: {error / len(read):.2%}"])


def run(pages: Path, form: Path, options: list[str], folder: Path) -> Path:
    """Read the pages with the command and return its results.fields.csv."""
    out = folder / "results.csv"
    command = [sys.executable, "-m", "batchocr", "run", str(pages), "--form", str(form), "--out", str(out)]
    done = subprocess.run([*command, "--quiet", "--fresh", *options], check=False)
    if done.returncode not in (0, 3):  # 3: some pages failed
        raise typer.Exit(done.returncode)
    return out.with_name("results.fields.csv")


def main(
    truth: Annotated[Path, typer.Argument(exists=True, help="CSV file with file, page, field, text.")],
    fields: Annotated[Path | None, typer.Argument(exists=True, help="results.fields.csv of a run.")] = None,
    pages: Annotated[Path | None, typer.Option(exists=True, help="Pages to read instead of a results file.")] = None,
    form: Annotated[Path | None, typer.Option(exists=True, help="Form file of the pages.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Passed to batchocr run. May repeat.")] = None,
    by_file: Annotated[
        bool, typer.Option("--by-file", help="Also a row for each way in which pages were taken.")
    ] = False,
    wrong: Annotated[bool, typer.Option("--wrong", help="Also list the fields that are wrong.")] = False,
) -> None:
    """Print how many fields and digits are wrong, and how many of them are not marked."""
    if fields:
        pairs = read_pairs(truth, fields)
    elif pages and form:
        with tempfile.TemporaryDirectory() as work:
            pairs = read_pairs(truth, run(pages, form, option or [], Path(work)))
    else:
        raise typer.BadParameter("give a results.fields.csv, or --pages and --form")
    typer.echo(HEAD)
    for name, own in groups(pairs).items():
        typer.echo(table_row(name, own))
    typer.echo(table_row("all without notes", [pair for pair in pairs if not pair.note]))
    if by_file:
        taken: dict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            taken[pair.file.partition("-")[0]].append(pair)
        for name, own in sorted(taken.items()):
            typer.echo(table_row(name, own))
    typer.echo("\n" + calibration([pair for pair in pairs if not pair.note]))
    for file in sorted({pair.file for pair in pairs if wrong and pair.status == REFUSED}):
        typer.echo(f"{file}: refused")
    for pair in pairs if wrong else ():
        if not pair.is_right and pair.status != REFUSED:
            typer.echo(
                f"{pair.file} {pair.field}: {pair.true!r} read as {pair.read!r}, {pair.status} {pair.confidence}"
            )


if __name__ == "__main__":
    typer.run(main)
