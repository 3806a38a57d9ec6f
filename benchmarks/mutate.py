"""Puts broken files of all formats through `batchocr run` in one go: every one must be a row, and nothing may crash.

`python benchmarks/mutate.py --files 2000` makes the files from those of the tests and the smaller samples, and prints
the figures of docs/reliability.md. It ends with 1 where a file is no row, or the run ends with anything but 0 or 3.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from format_cases import CASES  # noqa: E402

SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "PNM": ".pnm", "JPEG 2000": ".jp2"}
LARGEST_SAMPLE = 100_000  # bytes: of larger ones, reading what is still whole would take most of the time
HEADER = 256  # bytes from the start or the end, where formats say the most
TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Random = np.random.Generator


def flip(data: bytearray, rng: Random) -> None:
    """Some bits anywhere."""
    for place in rng.integers(0, len(data), int(rng.integers(1, 20))):
        data[place] ^= 1 << int(rng.integers(8))


def cut(data: bytearray, rng: Random) -> None:
    """The end is missing."""
    del data[int(rng.integers(1, len(data) + 1)) :]


def insert(data: bytearray, rng: Random) -> None:
    """Bytes too many."""
    place = int(rng.integers(len(data) + 1))
    data[place:place] = rng.bytes(int(rng.integers(1, 64)))


def remove(data: bytearray, rng: Random) -> None:
    """Bytes too few."""
    place = int(rng.integers(len(data)))
    del data[place : place + int(rng.integers(1, 64))]


def repeat(data: bytearray, rng: Random) -> None:
    """A piece twice."""
    place = int(rng.integers(len(data)))
    data[place:place] = data[place : place + int(rng.integers(1, 512))]


def blank(data: bytearray, rng: Random) -> None:
    """A piece of zeros, as a disk leaves them."""
    place = int(rng.integers(len(data)))
    end = min(place + int(rng.integers(1, 512)), len(data))
    data[place:end] = bytes(end - place)


def edit(data: bytearray, rng: Random) -> None:
    """A number of the header that tells, of 1, 2 or 4 bytes in either order."""
    size, value = int(rng.choice((1, 2, 4))), int(rng.choice(TELLING))
    near = int(rng.integers(min(HEADER, len(data))))
    place = near if rng.random() < 0.8 else max(len(data) - near - size, 0)
    number = (value % (1 << 8 * size)).to_bytes(size, "big" if rng.random() < 0.5 else "little")
    data[place : place + size] = number


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (flip, cut, insert, remove, repeat, blank, edit, edit)


def seeds() -> list[tuple[str, bytes]]:
    """Whole files of all formats, each with the suffix of its kind."""
    small = [(SUFFIXES.get(case.format, f".{case.format.lower()}"), bytes(case.data)) for case in CASES if case.pixels]
    samples = [path for path in sorted((ROOT / "samples").rglob("*")) if path.suffix not in (".py", ".md", ".csv", "")]
    return small + [(path.suffix, path.read_bytes()) for path in samples if path.stat().st_size < LARGEST_SAMPLE]


def write_files(folder: Path, files: int, seed: int) -> set[str]:
    """Write mutated files, each seed as often, and return their names."""
    rng, whole = np.random.default_rng(seed), seeds()
    names = set()
    for number in range(files):
        suffix, content = whole[number % len(whole)]
        data, done = bytearray(content), []
        for _ in range(int(rng.integers(1, 4))):
            mutation = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
            if data:
                mutation(data, rng)
                done.append(mutation.__name__)
        name = f"{number:06d}-{'-'.join(done)}{suffix}"
        (folder / name).write_bytes(data)
        names.add(name)
    return names


def main(
    files: Annotated[int, typer.Option(help="How many mutated files.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Another number gives other files.")] = 1,
    limit: Annotated[float, typer.Option(help="Seconds that the run may take.")] = 3600,
    keep: Annotated[Path | None, typer.Option(help="Folder for files and results, else a temporary one.")] = None,
    jobs: Annotated[int | None, typer.Option(help="As of batchocr run.")] = None,
) -> None:
    """Make the files, run over them, and say what came of it."""
    with tempfile.TemporaryDirectory() as temporary:
        work = keep or Path(temporary)
        scans = work / "scans"
        scans.mkdir(parents=True)
        names = write_files(scans, files, seed)
        command = [sys.executable, "-c", "from batchocr.cli import app; app()", "run", str(scans), "--device", "cpu"]
        command += ["--out", str(work / "results.csv"), "--quiet", *(["--jobs", str(jobs)] if jobs else [])]
        started = time.monotonic()
        try:
            ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit)
        except subprocess.TimeoutExpired:
            typer.echo(f"the run did not end within {limit:g} s", err=True)
            raise typer.Exit(1) from None
        seconds = time.monotonic() - started
        if ended.returncode not in (0, 3):
            typer.echo(f"the run ended with {ended.returncode}: {ended.stderr[-2000:]}", err=True)
            raise typer.Exit(1)
        with (work / "results.pages.csv").open(newline="", encoding="utf-8") as file:
            pages = list(csv.DictReader(file))
    missing = names - {page["file"] for page in pages}
    outcomes = Counter(page["error"] or page["status"] for page in pages)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slowest = max(pages, key=lambda page: float(page["seconds"]))
    typer.echo(f"{len(names)} files, {len(pages)} pages, ended with {ended.returncode} in {seconds:.0f} s")
    typer.echo(f"largest process {peak:.0f} MB; slowest page {float(slowest['seconds']):.1f} s ({slowest['file']})")
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    typer.echo(f"files without a row: {len(missing)} {sorted(missing)[:5]}")
    raise typer.Exit(bool(missing) or "internal" in outcomes)


if __name__ == "__main__":
    typer.run(main)
