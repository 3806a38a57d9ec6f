"""Read the public sets and composed pages with the command, score the results, and print one row for each set.

`python benchmarks/accuracy/public_sets.py --data DATA --cases CASES --scorer SCORE.py --out table.json` prints the
table of docs/benchmarks.md. `--set` selects sets (`--set composed` selects all kinds of composed pages). `--keep
FOLDER` keeps results and truths for faults.py. `--before table.json` adds the figures of an earlier table. `--command`
measures another program with the same options, such as an earlier version:

    --command "env -C TREE PYTHONPATH=TREE python -m batchocr"
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer

from batchocr.datasets.held_out import HELD_OUT_PAGES

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from compose import KINDS, load, write_pages

Figures = dict[str, Any]
READ = (0, 3)
"""Exit codes of runs that wrote results; 3 means that some pages failed."""


@dataclass(frozen=True)
class PublicSet:
    """A folder with known content, how it is scored, and which figures are printed."""

    name: str
    """Folder below the data folder, and name in the table."""
    score_modes: tuple[str, ...]
    """Modes of the scorer; it is called once for each."""
    figures: tuple[tuple[str, str], ...]
    """Printed figures: name in the table and key of the scorer. Shares are printed in percent."""
    truth: str = "truth.json"
    """File name of the truth."""


_ROWS = (("digit error", "digit_error"), ("extra digits per page", "extra_digits_a_page"))
_PIECES = (("digit error", "digit_error"), ("pieces exact", "exact"))
_BOXES = (("digits", "digit_accuracy"), ("numbers exact", "number_accuracy"), ("precision", "precision"))
SETS = (
    PublicSet("orand-car-a/val", ("boxes",), (("strings exact", "number_accuracy"), *_BOXES[::2])),
    PublicSet(
        "lectaurep/val",
        ("rows", "text"),
        (*_ROWS, ("text exact", "exact"), ("text exact where it has signs", "with_signs_exact")),
    ),
    PublicSet("copiste/val", ("rows",), (_ROWS[0], ("extra digits per line", "extra_digits_a_page"))),
    PublicSet(
        "lectaurep/pages",
        ("pieces",),
        (*_PIECES, ("in words per page", "in_words_a_page"), ("elsewhere per page", "elsewhere_a_page")),
        "lines.json",
    ),
    PublicSet(
        "sudoku-scanner/pages",
        ("pieces",),
        (*_PIECES, ("printed ones per photo", "printed_a_page"), ("elsewhere per photo", "elsewhere_a_page")),
        "cells.json",
    ),
    PublicSet("cases", ("rows",), _ROWS),
    PublicSet("tally-forms", ("rows",), _ROWS),
    PublicSet("nist-form", ("rows",), _ROWS),
)
COMPOSED, DIGITS, FILES = "composed", "MNIST test, as digits", "MNIST test, a file a digit"
NAMES = (*(each.name for each in SETS), COMPOSED, *(f"{COMPOSED}/{kind}" for kind in KINDS), "mnist")
COUNTED = ("extra_digits_a_page", "in_words_a_page", "elsewhere_a_page", "printed_a_page")
"""Figures that are not shares."""


@dataclass(frozen=True)
class Bench:
    """The command, the scorer, and the folder of results."""

    command: tuple[str, ...]
    scorer: Path
    work: Path
    jobs: int | None
    printed: str | None
    """Value of `--printed`; None if the command has no such option."""
    failed: dict[str, int] = field(default_factory=dict)
    """Exit codes by set, of runs in which pages failed."""

    def read(self, name: str, scans: Sequence[Path]) -> tuple[Path, float]:
        """Read scans in one run; return the folder of results.csv and the time in seconds."""
        folder = self.work / name.replace("/", "-").replace(",", "").replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / "scans.txt"
        listed.write_text("".join(f"{scan.resolve()}\n" for scan in scans), encoding="utf-8")
        options = ["--printed", self.printed] if self.printed else []
        options += ["--jobs", str(self.jobs)] if self.jobs else []
        out = ["--out", str(folder / "results.csv"), "--quiet", "--fresh"]
        start = time.perf_counter()
        ended = subprocess.run([*self.command, "run", "--files-from", str(listed), *out, *options]).returncode
        if ended not in READ:
            raise SystemExit(
                f"{name}: the command ended with exit code {ended}; the figures of the sets before it are written"
            )
        if ended:
            self.failed[name] = ended
        return folder, time.perf_counter() - start

    def scored(self, folder: Path, mode: str, truth: Mapping[str, Any]) -> Figures:
        """Return the scorer's figures for the results in a folder, and write the truth beside them."""
        known = write_truth(folder, truth)
        results = folder / ("results.numbers.csv" if mode == "text" else "results.csv")
        command = [sys.executable, str(self.scorer), mode, str(known), str(results)]
        scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures: Figures = json.loads(scored.splitlines()[-1])
        return figures


def write_truth(folder: Path, truth: Mapping[str, Any]) -> Path:
    """Write the truth beside the results and return its path."""
    path = folder / "truth.json"
    path.write_text(json.dumps(truth), encoding="utf-8")
    return path


def known_truth(each: PublicSet, folder: Path) -> dict[str, Any]:
    """Read the truth of a set; of whole pages only those held out of training."""
    known: dict[str, Any] = json.loads((folder / each.truth).read_text(encoding="utf-8"))
    names = HELD_OUT_PAGES.get(each.name, sorted)(known)
    return {name: known[name] for name in names}


def of_set(bench: Bench, each: PublicSet, folder: Path) -> Figures:
    """Measure a public set."""
    truth = known_truth(each, folder)
    results, seconds = bench.read(each.name, [folder / name for name in truth])
    figures: Figures = {}
    for mode in each.score_modes:
        figures |= bench.scored(results, mode, truth)
    return {**figures, "seconds": round(seconds, 1)}


def of_composed(
    bench: Bench, mnist: Path, kinds: Sequence[str], pages: int, seed: int
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of each kind of composed pages, which are all read in one run."""
    composed = bench.work / "composed-pages"
    truth = write_pages(*load(mnist, "test"), kinds, pages, seed, composed)
    results, seconds = bench.read(COMPOSED, [composed / name for name in truth])
    for kind in kinds:
        of_kind = {name: numbers for name, numbers in truth.items() if name.rsplit("-", 1)[0] == kind}
        figures = bench.scored(results, "boxes", of_kind)
        yield f"{COMPOSED}/{kind}", {**figures, "seconds": round(seconds / len(kinds), 1)}
    write_truth(results, truth)


def of_mnist(bench: Bench, mnist: Path, files: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of MNIST's test half given as digits, and of some of its digits given as one file each."""
    json_path = bench.work / "mnist.json"
    command = [*bench.command, "evaluate", "--data", str(mnist), "--split", "test", "--json", str(json_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    figures = json.loads(json_path.read_text(encoding="utf-8"))
    yield DIGITS, {"accuracy": figures.get("accuracy_as_digits", figures["accuracy"]), "count": figures["count"]}
    digits, labels = load(mnist, "test")
    folder = bench.work / "mnist-files"
    folder.mkdir(exist_ok=True)
    truth = {}
    for i in range(0, len(digits), max(1, len(digits) // files)):
        cv2.imwrite(str(folder / f"{i:05}.png"), digits[i])
        truth[f"{i:05}.png"] = {"rows": [str(labels[i])]}
    results, seconds = bench.read("mnist", [folder / name for name in truth])
    yield FILES, {**bench.scored(results, "crops", truth), "seconds": round(seconds, 1)}


def measured(
    bench: Bench, data: Path, cases: Path, chosen: Sequence[str], pages: int, seed: int, files: int
) -> Iterator[tuple[str, Figures]]:
    """Yield the name and the figures of each selected set."""
    for each in SETS:
        if each.name in chosen:
            yield each.name, of_set(bench, each, cases if each.name == "cases" else data / each.name)
    if kinds := [kind for kind in KINDS if COMPOSED in chosen or f"{COMPOSED}/{kind}" in chosen]:
        yield from of_composed(bench, data / "mnist.npz", kinds, pages, seed)
    if "mnist" in chosen:
        yield from of_mnist(bench, data / "mnist.npz", files)


def printed_figures(name: str) -> tuple[tuple[str, str], ...]:
    """Return names and keys of the figures in a row of the table."""
    own = {each.name: each.figures for each in SETS}
    return own.get(name, _BOXES if name.startswith(COMPOSED) else (("right", "accuracy"),))


def values(name: str, figures: Figures | None) -> str:
    """Format the figures of a set."""
    if figures is None:
        return ""
    return "; ".join(
        f"{figures[key]:g}" if key in COUNTED else f"{100 * figures[key]:.2f}%" for _, key in printed_figures(name)
    )


def row(name: str, figures: Figures, before: Mapping[str, Figures] | None) -> str:
    """Format a row of the table in Markdown."""
    words = "; ".join(words for words, _ in printed_figures(name))
    earlier = [values(name, before.get(name))] if before is not None else []
    return f"| {' | '.join([f'{name}: {words}', *earlier, values(name, figures)])} |"


def printed_option(command: Sequence[str], wanted: str) -> str | None:
    """Return the value of `--printed`, or None if the command has no such option."""
    usage = subprocess.run([*command, "run", "--help"], check=True, capture_output=True, text=True).stdout
    return wanted if "--printed" in usage else None


def main(
    data: Annotated[Path, typer.Option(help="Folder of the public data, with mnist.npz.")],
    cases: Annotated[Path, typer.Option(help="Folder of drawn cases.")],
    scorer: Annotated[Path, typer.Option(help="Program that scores results against a truth.")],
    chosen: Annotated[list[str] | None, typer.Option("--set", help=f"Set to read; one of {', '.join(NAMES)}.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file of all figures, written after each set.")] = None,
    before: Annotated[Path | None, typer.Option(help="JSON file of an earlier table to compare with.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder in which results and truths are kept.")] = None,
    command: Annotated[str, typer.Option(help="Command that reads the scans.")] = f"{sys.executable} -m batchocr",
    printed: Annotated[str, typer.Option(help="Passed to the command.")] = "drop",
    jobs: Annotated[int | None, typer.Option(help="Passed to the command.")] = None,
    pages: Annotated[int, typer.Option(help="Composed pages of each kind.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the composed pages.")] = 5000,
    files: Annotated[int, typer.Option(help="Digits of MNIST's test half given as one file each.")] = 2000,
) -> None:
    """Measure each set and print a row for it."""
    if unknown := sorted(set(chosen or ()) - set(NAMES)):
        raise typer.BadParameter(f"no such set: {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    earlier = json.loads(before.read_text(encoding="utf-8"))["sets"] if before else None
    with tempfile.TemporaryDirectory() as scratch:
        parts = tuple(shlex.split(command))
        bench = Bench(parts, scorer.resolve(), (keep or Path(scratch)).resolve(), jobs, printed_option(parts, printed))
        table: Figures = {"command": command, "printed": bench.printed, "pages": pages, "seed": seed, "sets": {}}
        head = ["set", *(["before"] if before else []), "now"]
        typer.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for name, figures in measured(bench, data, cases, chosen or NAMES, pages, seed, files):
            typer.echo(row(name, figures, earlier))
            table["sets"][name] = figures
            if out:
                out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        for name, code in bench.failed.items():
            typer.echo(f"{name}: pages failed (exit code {code})", err=True)


if __name__ == "__main__":
    typer.run(main)
