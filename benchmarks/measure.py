"""Reads pages with known contents and puts the figures into one table.

`python benchmarks/measure.py --data DATA --scorer SCORE.py` composes pages from MNIST's test half, runs the command
`batchocr run` on them and on the real pages under DATA, has each result scored, and prints the table of
docs/benchmarks.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from pages import KINDS, load, write_pages

REAL = {"orand-car-a/val": "boxes", "tally-forms": "rows", "nist-form": "rows"}
BOXES = (
    "recall",
    "precision",
    "digit_accuracy",
    "number_accuracy",
    "coverage_at_error_0.01",
    "expected_calibration_error",
)
ROWS = ("digit_error", "rows_exact", "extra_digits_a_page")


def score(scorer: Path, how: str, scans: Path, names: list[str], work: Path) -> dict[str, Any]:
    """The scorer's figures for the scans named, read by the command in a process of its own."""
    listed, out = work / "scans.txt", work / "results.csv"
    listed.write_text("".join(f"{scans / name}\n" for name in names), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from batchocr.cli import app; app()",
        "run",
        "--fresh",
        "--files-from",
        str(listed),
    ]
    subprocess.run([*command, "--out", str(out), "--quiet"], check=True)
    truth = work / "truth.json"
    known = json.loads((scans / "truth.json").read_text(encoding="utf-8"))
    truth.write_text(json.dumps({name: known[name] for name in names}), encoding="utf-8")
    scored = subprocess.run(
        [sys.executable, str(scorer), how, str(truth), str(out)], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(scored.stdout.splitlines()[-1])
    return figures


def measured(data: Path, scorer: Path, pages: int, seed: int, work: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each set's name with its figures."""
    digits, labels = load(data / "mnist.npz", "test")
    composed = work / "composed"
    write_pages(digits, labels, list(KINDS), pages, seed, composed)
    known = json.loads((composed / "truth.json").read_text(encoding="utf-8"))
    for kind in KINDS:
        names = [name for name in known if name.rsplit("-", 1)[0] == kind]
        yield f"composed, {kind}", score(scorer, "boxes", composed, names, work)
    for name, how in REAL.items():
        known = json.loads((data / name / "truth.json").read_text(encoding="utf-8"))
        yield name, score(scorer, how, data / name, list(known), work)
    single = work / "single"
    single.mkdir()
    for i, digit in enumerate(digits):
        cv2.imwrite(str(single / f"{i:05}.png"), digit)
    rows = {f"{i:05}.png": {"rows": [str(label)]} for i, label in enumerate(np.asarray(labels).tolist())}
    (single / "truth.json").write_text(json.dumps(rows), encoding="utf-8")
    yield "MNIST test half, a file a digit", score(scorer, "crops", single, list(rows), work)


def table(rows: list[tuple[str, dict[str, Any]]], columns: tuple[str, ...]) -> str:
    """Markdown."""
    head = ["pages", *(column.replace("_", " ") for column in columns)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {name} | {' | '.join(str(figures[column]) for column in columns)} |" for name, figures in rows]
    return "\n".join(lines)


def main(
    data: Annotated[Path, typer.Option(help="A folder with mnist.npz and the real pages, each with a truth.json.")],
    scorer: Annotated[Path, typer.Option(help="The program that scores a results.csv against a truth.json.")],
    pages: Annotated[int, typer.Option(help="Composed pages a kind.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the composed pages.")] = 5000,
) -> None:
    """Print the tables of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as work:
        results = list(measured(data, scorer, pages, seed, Path(work)))
    for how in (BOXES, ROWS, ("accuracy", "read_as_one_digit")):
        typer.echo(table([(n, f) for n, f in results if how[0] in f], how) + "\n")


if __name__ == "__main__":
    typer.run(main)
