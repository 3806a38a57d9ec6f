"""How fast the whole job is: beside decoding alone, the classifier alone, Tesseract and RapidOCR, taking turns.

`python benchmarks/speed/speed.py --digits mnist.npz --rapid-python VENV/bin/python` composes 40 mixed pages (A4, 300
dpi, PNG and JPEG) from MNIST's test half and prints the tables of docs/benchmarks.md; `--plot growth.png` draws the
last.

What starting costs is left out by taking the difference: a run over the pages three times less a run over them once,
by twice as many pages. Rivals are loaded before the clock starts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

sys.path.append(str(Path(__file__).parents[1] / "pages"))
sys.path.append(str(Path(__file__).parents[1] / "accuracy"))
from compose import load, write_pages
from rivals import Rapid, tesseract
from watched import Run, links, run

from batchocr.executors.page_task import look
from batchocr.pipeline import read_pages
from batchocr.recognition.model_file import shipped_detector, shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import SIGN, Scan
from batchocr.sources import MAX_MEGAPIXELS, load_pages

MIXED = ("plain", "ruled", "comb", "form", "skewed", "photo", "pencil", "dpi150", "dense", "dense")
"""Kinds of pages, in turn: about 400 digits a page in the mean."""


def decode(scan: Scan) -> int:
    """Pixels of a scan's pages."""
    return sum(page.pixels.size for page in load_pages(scan) if hasattr(page, "pixels"))


def decoding(scans: Sequence[Scan], jobs: int) -> float:
    """Seconds that as many processes as the job's need to decode all, and do nothing else."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(decode, scans[: 4 * jobs]))  # started, and all imported
        started = time.perf_counter()
        list(pool.map(decode, scans))
        return time.perf_counter() - started


def both_networks(scans: Sequence[Scan], networks: Networks) -> tuple[float, int, int]:
    """Seconds that the networks need for all pages with nothing beside them; tiles and crops that they see."""
    before, tiles, crops = sum(networks.seconds.values()), 0, 0
    prepared = (page for scan in scans for page in look(scan, MAX_MEGAPIXELS))
    for page, found, _ in read_pages(prepared, networks):
        tiles += len(page.level.tiles.corners) if page.level else 0
        crops += int(np.count_nonzero(found.kinds != SIGN))
    return sum(networks.seconds.values()) - before, tiles, crops


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz of white-on-black digits.")],
    rapid_python: Annotated[Path | None, typer.Option(help="Python of the environment that has rapidocr.")] = None,
    with_tesseract: Annotated[bool, typer.Option(help="Run Tesseract too.")] = True,
    pages: Annotated[int, typer.Option(min=10, help="Of the workload, a multiple of ten.")] = 40,
    grow: Annotated[str, typer.Option(help="Numbers of pages to run over, parted by commas.")] = "10,100,200,1000",
    rounds: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 3,
    jobs: Annotated[int, typer.Option(min=1, help="As of batchocr run, and for decoding alone.")] = 2,
    seed: Annotated[int, typer.Option(min=0)] = 8000,
    plot: Annotated[Path | None, typer.Option(help="Draw how time and memory grow.")] = None,
) -> None:
    """Measure, and print two tables."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        paths, written = workload(digits, pages, seed, work / "pages")
        count, scans = len(paths), [Scan(path, path.name) for path in paths]
        networks = Networks(Models(shipped_detector(), shipped_model()), device="cpu")
        _, tiles, crops = both_networks(scans, networks)
        on_each = f"{written / count:.0f} digits, {tiles / count:.0f} tiles and {crops / count:.0f} crops a page"
        typer.echo(f"{count} pages, {on_each}, {jobs} workers\n")
        once, thrice = links(paths, count, work / "once"), links(paths, 3 * count, work / "thrice")
        spent: dict[str, list[float]] = {"decoding alone": [], "the networks alone": [], "batchocr": []}
        started: list[float] = []
        for _ in range(rounds):
            spent["decoding alone"].append(decoding(scans, jobs) / count)
            spent["the networks alone"].append(both_networks(scans, networks)[0] / count)
            short, long = (run(pages_of, "--jobs", str(jobs)) for pages_of in (once, thrice))
            spent["batchocr"].append((long.seconds - short.seconds) / (2 * count))
            started.append(short.seconds / count)
        if with_tesseract:
            spent["Tesseract"] = [rival(tesseract, paths)]
        if rapid_python:
            reader = Rapid(rapid_python)
            reader(paths[0])
            spent["RapidOCR"] = [rival(reader, paths)]
        table(spent, statistics.median(started))
        typer.echo(f"Peak memory over {3 * count} pages: {long.megabytes:.0f} MB, all processes.\n")
        cold_start(paths[:1], work, rounds)
        growth([int(each) for each in grow.split(",") if each], paths[: len(MIXED)], work, jobs, plot)


def workload(digits: Path, pages: int, seed: int, folder: Path) -> tuple[list[Path], int]:
    """The pages, each ten of them of all kinds, and how many digits are written on them."""
    found: dict[str, list[Path]] = {}
    written = 0
    for kind in dict.fromkeys(MIXED):
        truth = write_pages(*load(digits, "test"), [kind], MIXED.count(kind) * pages // len(MIXED), seed, folder)
        found[kind] = [folder / name for name in sorted(truth)]
        written += sum(len(number["digits"]) for page in truth.values() for number in page)
    return [found[kind].pop() for _ in range(pages // len(MIXED)) for kind in MIXED], written


def rival(reader: object, paths: Sequence[Path]) -> float:
    """Seconds a page."""
    assert callable(reader)
    started = time.perf_counter()
    for path in paths:
        reader(path)
    return (time.perf_counter() - started) / len(paths)


def table(spent: dict[str, list[float]], with_start: float) -> None:
    middle = {name: statistics.median(seconds) for name, seconds in spent.items()}
    ours = middle["batchocr"]
    typer.echo(
        "| start-up left out | ms a page | least to most | pages a second | batchocr to it |\n|---|---|---|---|---|"
    )
    for name, seconds in spent.items():
        spread = f"{1000 * min(seconds):.0f} to {1000 * max(seconds):.0f}"
        ratio = f"{middle[name] / ours:.2f}"
        typer.echo(f"| {name} | {1000 * middle[name]:.0f} | {spread} | {1 / middle[name]:.1f} | {ratio} |")
    both = middle["decoding alone"] + middle["the networks alone"]
    typer.echo(f"| decoding and the networks together | {1000 * both:.0f} | | {1 / both:.1f} | {both / ours:.2f} |")
    typer.echo(f"| batchocr, with its start | {1000 * with_start:.0f} | | {1 / with_start:.1f} | |\n")


def cold_start(one: Sequence[Path], work: Path, rounds: int) -> None:
    """A run over a single page beside the import of TensorFlow, taking turns."""
    page = links(one, 1, work / "one")
    ours, imports = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tensorflow"], stderr=subprocess.DEVNULL, check=True)
        imports.append(time.perf_counter() - started)
        ours.append(run(page).seconds)
    whole, alone = statistics.median(ours), statistics.median(imports)
    typer.echo(f"One page, from the command to its end: {whole:.2f} s; `import tensorflow` {alone:.2f} s: ", nl=False)
    typer.echo(f"{whole / alone:.2f} times\n")


def growth(counts: Sequence[int], ten: Sequence[Path], work: Path, jobs: int, plot: Path | None) -> None:
    """Runs over more and more pages: the same ten again and again."""
    runs = [run(links(ten, count, work / f"grow-{count}"), "--jobs", str(jobs)) for count in counts]
    stages = [name for name in runs[0].stages if name != "all"] if runs else []
    typer.echo(f"| pages | seconds | {' | '.join(stages)} | digits a second | MB |")
    typer.echo(f"|{'---|' * (len(stages) + 4)}")
    for count, each in zip(counts, runs, strict=True):
        told = " | ".join(f"{each.stages[name]:.1f}" for name in stages)
        rate = f"{each.digits / each.seconds:.0f}"
        typer.echo(f"| {count:,} | {each.seconds:.1f} | {told} | {rate} | {each.megabytes:.0f} |")
    seconds = dict(zip(counts, (each.seconds for each in runs), strict=True))
    if {100, 200} <= seconds.keys():  # a hundred more, for of the first ones most are seen while the model is loaded
        page = (seconds[200] - seconds[100]) / 100
        start = seconds[100] - 100 * page
        for count in (count for count in counts if count > 200):
            share = (seconds[count] - start) / (page * count)
            typer.echo(f"\nA page of {count:,} costs {share:.2f} times one of a hundred, start-up left out.")
    if plot and runs:
        draw(counts, runs, plot)


def draw(counts: Sequence[int], runs: Sequence[Run], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    time_axes.plot(counts, [each.seconds for each in runs], "o-")
    time_axes.set(xlabel="pages", ylabel="seconds, with the start", xlim=(0, None), ylim=(0, None))
    memory_axes.plot(counts, [each.megabytes for each in runs], "o-")
    most = max(each.megabytes for each in runs)
    memory_axes.set(xlabel="pages", ylabel="MB, all processes", xlim=(0, None), ylim=(0, 1.1 * most))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    typer.run(main)
