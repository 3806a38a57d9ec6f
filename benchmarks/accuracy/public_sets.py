"""Reads the public sets and composed pages by the command, has them scored, and prints a row a set.

`python benchmarks/accuracy/public_sets.py --data DATA --cases CASES --scorer SCORE.py --out table.json` prints the
table of docs/benchmarks.md. `--set` chooses sets (`--set composed` all kinds of composed pages), `--keep FOLDER` keeps
results and truths for faults.py, `--before table.json` puts an earlier table beside this one, and `--command` measures
another program that has the command's options, such as an earlier tree:

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
"""Exit codes of runs that wrote results; after 3 some pages had failed."""


@dataclass(frozen=True)
class PublicSet:
    """A folder with known contents, how it is scored, and the figures that are told of it."""

    name: str
    """Its folder under the data, and its name in the table."""
    how: tuple[str, ...]
    """What the scorer is called with, once each."""
    told: tuple[tuple[str, str], ...]
    """Of each figure told, its name in words and the scorer's; shares are told in percent."""
    truth: str = "truth.json"


_ROWS = (("digit error", "digit_error"), ("extra digits a page", "extra_digits_a_page"))
_PIECES = (("digit error", "digit_error"), ("pieces exact", "exact"))
_BOXES = (("digits", "digit_accuracy"), ("numbers exact", "number_accuracy"), ("precision", "precision"))
SETS = (
    PublicSet("orand-car-a/val", ("boxes",), (("strings exact", "number_accuracy"), *_BOXES[::2])),
    PublicSet(
        "lectaurep/val",
        ("rows", "text"),
        (*_ROWS, ("text exact", "exact"), ("text exact where it has signs", "with_signs_exact")),
    ),
    PublicSet("copiste/val", ("rows",), (_ROWS[0], ("extra digits a line", "extra_digits_a_page"))),
    PublicSet(
        "lectaurep/pages",
        ("pieces",),
        (*_PIECES, ("in words a page", "in_words_a_page"), ("elsewhere a page", "elsewhere_a_page")),
        "lines.json",
    ),
    PublicSet(
        "sudoku-scanner/pages",
        ("pieces",),
        (*_PIECES, ("printed ones a photo", "printed_a_page"), ("elsewhere a photo", "elsewhere_a_page")),
        "cells.json",
    ),
    PublicSet("cases", ("rows",), _ROWS),
    PublicSet("tally-forms", ("rows",), _ROWS),
    PublicSet("nist-form", ("rows",), _ROWS),
)
COMPOSED, DIGITS, FILES = "composed", "MNIST test, as digits", "MNIST test, a file a digit"
NAMES = (*(each.name for each in SETS), COMPOSED, *(f"{COMPOSED}/{kind}" for kind in KINDS), "mnist")
COUNTED = ("extra_digits_a_page", "in_words_a_page", "elsewhere_a_page", "printed_a_page")
"""Figures that are no shares."""


@dataclass(frozen=True)
class Bench:
    """What measures: the command, the scorer, and where results go."""

    command: tuple[str, ...]
    scorer: Path
    work: Path
    jobs: int | None
    printed: str | None
    """As `--printed` takes it; None where the command has no such option."""
    failed: dict[str, int] = field(default_factory=dict)

    def read(self, name: str, scans: Sequence[Path]) -> tuple[Path, float]:
        """The folder of results.csv of the scans, read in one run, and the seconds that it took."""
        folder = self.work / name.replace("/", "-").replace(",", "").replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / "scans.txt"
        listed.write_text("".join(f"{scan.resolve()}\n" for scan in scans), encoding="utf-8")
        given = ["--printed", self.printed] if self.printed else []
        given += ["--jobs", str(self.jobs)] if self.jobs else []
        out = ["--out", str(folder / "results.csv"), "--quiet", "--fresh"]
        start = time.perf_counter()
        ended = subprocess.run([*self.command, "run", "--files-from", str(listed), *out, *given]).returncode
        if ended not in READ:
            raise SystemExit(f"{name}: the command ended with {ended}; the figures so far are written")
        if ended:
            self.failed[name] = ended
        return folder, time.perf_counter() - start

    def scored(self, folder: Path, how: str, truth: Mapping[str, Any]) -> Figures:
        """The scorer's figures of a folder's results, whose truth is kept beside them."""
        known = write_truth(folder, truth)
        results = folder / ("results.numbers.csv" if how == "text" else "results.csv")
        command = [sys.executable, str(self.scorer), how, str(known), str(results)]
        scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures: Figures = json.loads(scored.splitlines()[-1])
        return figures


def write_truth(folder: Path, truth: Mapping[str, Any]) -> Path:
    """The truth of what was read, beside the results."""
    path = folder / "truth.json"
    path.write_text(json.dumps(truth), encoding="utf-8")
    return path


def known_truth(each: PublicSet, folder: Path) -> dict[str, Any]:
    """What is known of a set's files, of whole pages only those held out of training."""
    known: dict[str, Any] = json.loads((folder / each.truth).read_text(encoding="utf-8"))
    names = HELD_OUT_PAGES.get(each.name, sorted)(known)
    return {name: known[name] for name in names}


def of_set(bench: Bench, each: PublicSet, folder: Path) -> Figures:
    """A public set's figures."""
    truth = known_truth(each, folder)
    results, seconds = bench.read(each.name, [folder / name for name in truth])
    figures: Figures = {}
    for how in each.how:
        figures |= bench.scored(results, how, truth)
    return {**figures, "seconds": round(seconds, 1)}


def of_composed(
    bench: Bench, mnist: Path, kinds: Sequence[str], pages: int, seed: int
) -> Iterator[tuple[str, Figures]]:
    """Figures of each kind of composed pages, all read in one run."""
    composed = bench.work / "composed-pages"
    truth = write_pages(*load(mnist, "test"), kinds, pages, seed, composed)
    results, seconds = bench.read(COMPOSED, [composed / name for name in truth])
    for kind in kinds:
        of_kind = {name: numbers for name, numbers in truth.items() if name.rsplit("-", 1)[0] == kind}
        figures = bench.scored(results, "boxes", of_kind)
        yield f"{COMPOSED}/{kind}", {**figures, "seconds": round(seconds / len(kinds), 1)}
    write_truth(results, truth)


def of_mnist(bench: Bench, mnist: Path, files: int) -> Iterator[tuple[str, Figures]]:
    """MNIST's test half given as digits, and evenly chosen ones of it as a file each."""
    told = bench.work / "mnist.json"
    command = [*bench.command, "evaluate", "--data", str(mnist), "--split", "test", "--json", str(told)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    figures = json.loads(told.read_text(encoding="utf-8"))
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
    """Each set's name with its figures, as they come."""
    for each in SETS:
        if each.name in chosen:
            yield each.name, of_set(bench, each, cases if each.name == "cases" else data / each.name)
    if kinds := [kind for kind in KINDS if COMPOSED in chosen or f"{COMPOSED}/{kind}" in chosen]:
        yield from of_composed(bench, data / "mnist.npz", kinds, pages, seed)
    if "mnist" in chosen:
        yield from of_mnist(bench, data / "mnist.npz", files)


def told_of(name: str) -> tuple[tuple[str, str], ...]:
    """The figures that are told of a row of the table."""
    own = {each.name: each.told for each in SETS}
    return own.get(name, _BOXES if name.startswith(COMPOSED) else (("right", "accuracy"),))


def values(name: str, figures: Figures | None) -> str:
    """A set's figures in the order in which they are named."""
    if figures is None:
        return ""
    return "; ".join(
        f"{figures[key]:g}" if key in COUNTED else f"{100 * figures[key]:.2f}%" for _, key in told_of(name)
    )


def row(name: str, figures: Figures, before: Mapping[str, Figures] | None) -> str:
    """A row of the table, in Markdown."""
    words = "; ".join(words for words, _ in told_of(name))
    earlier = [values(name, before.get(name))] if before is not None else []
    return f"| {' | '.join([f'{name}: {words}', *earlier, values(name, figures)])} |"


def printed_option(command: Sequence[str], wanted: str) -> str | None:
    """What to give as `--printed`; None where the command has no such option."""
    told = subprocess.run([*command, "run", "--help"], check=True, capture_output=True, text=True).stdout
    return wanted if "--printed" in told else None


def main(
    data: Annotated[Path, typer.Option(help="The folder of the public data, with mnist.npz.")],
    cases: Annotated[Path, typer.Option(help="The folder of drawn cases.")],
    scorer: Annotated[Path, typer.Option(help="The program that scores results against a truth.")],
    chosen: Annotated[list[str] | None, typer.Option("--set", help=f"Only these of {', '.join(NAMES)}.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write all figures to this JSON, after each set.")] = None,
    before: Annotated[Path | None, typer.Option(help="An earlier table, to be told beside this one.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep results and truths in this folder.")] = None,
    command: Annotated[str, typer.Option(help="The program that reads.")] = f"{sys.executable} -m batchocr",
    printed: Annotated[str, typer.Option(help="As the command takes it.")] = "drop",
    jobs: Annotated[int | None, typer.Option(help="As the command takes it.")] = None,
    pages: Annotated[int, typer.Option(help="Composed pages a kind.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the composed pages.")] = 5000,
    files: Annotated[int, typer.Option(help="Digits of MNIST's test half that are given as a file each.")] = 2000,
) -> None:
    """Print a row a set."""
    if unknown := sorted(set(chosen or ()) - set(NAMES)):
        raise typer.BadParameter(f"no such set: {', '.join(unknown)}; there are {', '.join(NAMES)}")
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
