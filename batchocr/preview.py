"""Pages read and drawn on: to see what the job would make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from batchocr.errors import OutputError, UsageError
from batchocr.executors.page_task import look_at
from batchocr.output.draw_stages import STAGES
from batchocr.reader import Reader
from batchocr.records import PageResult, Scan
from batchocr.settings import Settings
from batchocr.sources import PREVIEW, BadPage, load_pages, written_name

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Preview:
    """A page that was drawn."""

    result: PageResult
    out: Path


def preview(
    scan: str | Path,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    stage: str = "read",
    pages: Sequence[int] = (1,),
) -> Iterator[Preview]:
    """Read `pages` (from 1) of a scan and draw one stage of each.

    The stages are `read`, `sheet`, `level`, `tiles`, `detections`, `crops` and `lines`.

    Without `out` it is drawn to `NAME.preview.png`, here. Of several pages, each goes to a file of its own:
    `page.png` becomes `page-003.png`.
    Raises ScanError where a page cannot be read, OutputError where the picture cannot be written.
    """
    settings, path, out = settings or Settings(), Path(scan), default_out(Path(scan)) if out is None else Path(out)
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {out}: the name must end with {', '.join(SUFFIXES)}")
    if stage not in STAGES:
        raise UsageError(f"there is no stage {stage}; choose one of {', '.join(STAGES)}")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; give a picture or a PDF")
    if out.exists() and out.samefile(path):
        raise UsageError(f"--out {out}: this is the scan itself; give another name")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}: make it, or give --out another one")
    reader: Reader | None = None
    for number in pages:
        found = Scan(path, written_name(path.name))
        limit, password = settings.max_megapixels, settings.pdf_password
        loaded = load_pages(found, max_megapixels=limit, first=number, last=number, pdf_password=password)
        page = next(loaded, None)
        if page is None:
            raise UsageError(f"{path}: has no page {number}; give --pages that it has")
        if isinstance(page, BadPage):
            raise page.error
        prepared = look_at(page)
        reader = reader or Reader(
            settings.model,
            detector=settings.detector,
            device=settings.device,
            batch_size=settings.batch_size,
            min_confidence=settings.min_confidence,
            max_error=settings.max_error,
            printed=settings.printed,
            blank=settings.blank,
            pdf_password=settings.pdf_password,
        )
        read, result = reader.result(prepared)
        target = out if len(pages) == 1 else out.with_stem(f"{out.stem}-{number:03}")
        if prepared.level is None:
            raise ValueError("a page without its level page")
        _, coded = cv2.imencode(out.suffix, STAGES[stage](page.pixels, prepared.level, read, result))
        _write(target, coded.tobytes())
        yield Preview(result, target)


def default_out(scan: Path) -> Path:
    """`scans/page.tif` → `page.preview.png`, which is no scan to a run over the folder."""
    return Path(f"{scan.stem}{PREVIEW}png")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as fault:
        fix = "make its folder, or give --out another"
        raise OutputError(f"{path}: cannot be written ({fault.strerror}): {fix}") from fault
