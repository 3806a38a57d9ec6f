"""Measure time and peak memory for files made to need much of them; each is read in a separate process.

`python benchmarks/robustness/worst.py` prints the table of docs/reliability.md; `--largest 25` uses smaller files. The
files are made by tests/support/bombs.py. A process may use `--memory` GB and `--limit` seconds. Needs Linux.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from math import isqrt
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
import bombs  # noqa: E402

READ = """
import sys, time
from pathlib import Path
import cv2, PIL.Image, pypdfium2
from batchocr.errors import ScanError
from batchocr.records import Scan
from batchocr.sources import BadPage, load_pages
def peak():  # getrusage would include that of the parent
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
before, started, ended = peak(), time.perf_counter(), set()
try:
    for page in load_pages(Scan(Path(sys.argv[1]), "x")):
        ended.add(page.error.reason if isinstance(page, BadPage) else "read")
except ScanError as error:
    ended.add(error.reason)
print(f"{time.perf_counter() - started:.1f} | {peak() - before:.0f} | {', '.join(sorted(ended))}")
"""

Maker = Callable[[], bytes]


def files(side: int) -> dict[str, Maker]:
    """Return the makers of all files: images of the maximum size, files with another limit, and files without one."""
    return {
        "PNG, grey": lambda: bombs.white_png(side, 1),
        "PNG, grey, 16 bits": lambda: bombs.white_png(side, 1, 16),
        "PNG, RGB": lambda: bombs.white_png(side, 3),
        "PNG, RGBA": lambda: bombs.white_png(side, 4),
        "JPEG, grey": lambda: bombs.white(side, "JPEG"),
        "JPEG, colour, progressive": lambda: bombs.white(side, "JPEG", "RGB", progressive=True, subsampling=0),
        "JPEG, CMYK": lambda: bombs.white(side, "JPEG", "CMYK"),
        "JPEG, grey, 100 scans": lambda: bombs.jpeg_of_scans(side, 100),
        "JPEG, grey, 1,000 scans": lambda: bombs.jpeg_of_scans(side, 1000),
        "TIFF, grey, deflate": lambda: bombs.deflated_tiff(side, 1),
        "TIFF, RGB, deflate": lambda: bombs.deflated_tiff(side, 3),
        "TIFF, RGBA, deflate": lambda: bombs.deflated_tiff(side, 4),
        "TIFF of 200,000 strips": lambda: bombs.tiff_of_strips(200_000),
        "TIFF of 2,000,000 strips": lambda: bombs.tiff_of_strips(2_000_000),
        "TIFF, a directory of 65,000 entries": lambda: bombs.tiff_of_entries(65_000),
        "TIFF of 10,000 frames": lambda: bombs.tiff_of_frames(10_000),
        "TIFF of 100,000 frames": lambda: bombs.tiff_of_frames(100_000),
        "WebP, RGB": lambda: bombs.white(side, "WEBP", "RGB", lossless=True, quality=0, method=0),
        "WebP, RGBA": lambda: bombs.white(
            side, "WEBP", "RGBA", "#fff8", lossless=True, quality=0, method=0, exact=True
        ),
        "GIF": lambda: bombs.white(side, "GIF"),
        "GIF of 3,000 frames": lambda: bombs.animation("GIF", 3000),
        "WebP of 3,000 frames": lambda: bombs.animation("WEBP", 3000),
        "BMP, runs": lambda: bombs.bmp_of_runs(side),
        "PNM, a header of 50 MB": lambda: bombs.pnm_of_comments(50_000_000),
        "JPEG 2000, grey": lambda: bombs.white(side, "JPEG2000", tile_size=(1024, 1024)),
        "JPEG 2000, RGB": lambda: bombs.white(side, "JPEG2000", "RGB", tile_size=(1024, 1024)),
        "JPEG 2000, tiles of 62 by 62": lambda: bombs.codestream(side, tile=62),
        "JPEG 2000, blocks of 4 by 4": lambda: bombs.codestream(side, block=4),
        "JPEG 2000, precincts of 2 by 2": lambda: bombs.codestream(side, precinct=2),
        "PDF, a scanned page": lambda: bombs.white_pdf(side),
        "PDF, a picture of 3,600 megapixels within 9 forms": lambda: bombs.pdf_image(
            60_000, b"", "/FlateDecode", within=9
        ),
        "PDF that counts 10,000,000 pages": lambda: bombs.pdf_page(b"", count=10_000_000),
        "PDF of 10,000 pages": lambda: bombs.pdf_page(b"", count=10_000).replace(
            b"[3 0 R]", b"[" + b"3 0 R " * 10_000 + b"]"
        ),
        "PDF, a page of 1,000,000 points": lambda: bombs.pdf_page(b"", box="0 0 1000000 1000000"),
        "PDF, a page of 100,000,000 by 0.001 points": lambda: bombs.pdf_page(b"", box="0 0 100000000 0.001"),
        "PDF of 100,000 drawing commands": lambda: bombs.pdf_of_lines(100_000),
        "PDF of 1,000,000 drawing commands": lambda: bombs.pdf_of_lines(1_000_000),
        "PDF of 1,000,000,000 spaces": lambda: bombs.pdf_of_spaces(1_000_000_000),
        "PDF, a pattern of tiny tiles": bombs.pdf_of_tiles,
        "PDF, forms in forms, 10 each, 12 deep": lambda: bombs.pdf_of_forms(12),
    }


def cost(path: Path, memory: float, limit: float) -> str:
    """Read a file and return its seconds, megabytes and outcome as cells of the table."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(memory * 1e9), int(memory * 1e9)))

    command = [sys.executable, "-c", READ, str(path)]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=limit, preexec_fn=bounded, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return f"more than {limit:g} | | did not end"
    return ended.stdout.strip() if ended.returncode == 0 else f"| more than {memory * 1000:.0f} | the process died"


def main(
    largest: Annotated[float, typer.Option(help="Size of the images in megapixels.")] = 249.6,
    memory: Annotated[float, typer.Option(help="Maximum address space of a process in GB.")] = 12,
    limit: Annotated[float, typer.Option(help="Maximum time of a file in seconds.")] = 60,
    only: Annotated[str, typer.Option(help="Only files whose name in the table begins with this text.")] = "",
) -> None:
    """Make and read each file and print a row for it."""
    typer.echo("| file | bytes | seconds | MB | outcome |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bomb"
        for name, make in files(isqrt(int(largest * 1e6))).items():
            if name.startswith(only):
                path.write_bytes(make())
                typer.echo(f"| {name} | {path.stat().st_size:,} | {cost(path, memory, limit)} |")


if __name__ == "__main__":
    typer.run(main)
