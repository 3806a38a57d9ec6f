"""Read pages and draw what was read on them, or a sheet of all digits for review."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import NothingToRead, ScanError, UsageError
from batchocr.executors.page_task import as_scan_error, failed, prepare_page
from batchocr.forms.form import Form
from batchocr.forms.load import load_forms
from batchocr.output.drawing.contact_sheet import DoubtfulDigits, draw_sheets, sheet_paths
from batchocr.output.drawing.draw_stages import STAGES, Stages
from batchocr.output.drawing.image_file import write_image
from batchocr.pipeline import Read
from batchocr.preview_files import ImageFormat, Targets, check_image_file, file_ids
from batchocr.reader import Reader
from batchocr.records import Page, PageResult, Pixels, Scan
from batchocr.settings import Settings
from batchocr.sources import BadPage, Found, find_scans, load_pages, nothing_to_read
from batchocr.sources.page_selection import page_ranges
from batchocr.stores import is_url, shown_url

MEMORY_FIX = "lower --max-megapixels"
"""Advice if a page needs too much memory: pages are read one at a time here."""
MAX_SIDE_PX = 2000
"""The longer side of a drawn page, if no other is given."""


@dataclass(frozen=True)
class Preview:
    """A page that was drawn, or that could not be read."""

    result: PageResult
    """What was read; its page has the status `failed` and a message if the page could not be read."""
    out: Path | None
    """The image; None for a page that could not be read."""


@dataclass(frozen=True)
class ContactSheet:
    """The sheets of the digits for review."""

    paths: tuple[Path, ...]
    """The images, in order."""
    digits: int
    """Digits for review on all pages."""
    pages: int
    """Pages that were read."""
    failed: int
    """Pages that could not be read."""


@dataclass(frozen=True)
class _ReadPage:
    scan: Scan
    result: PageResult
    pages: int = 1
    """Pages of the scan."""
    pixels: Pixels | None = None
    """None if the page could not be read, as `read`."""
    read: Read | None = None


def preview(
    scans: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    stage: str = "read",
    pages: Sequence[int] | None = None,
    max_side_px: int = MAX_SIDE_PX,
    image_format: ImageFormat | None = None,
    listed: Sequence[str | Path] = (),
) -> Iterator[Preview]:
    """Read pages and draw one stage of each.

    The image of a single page is `NAME.preview.png` in the current folder. Images of several pages are
    `previews/NAME-PAGE.preview.png`; they have the full file name if two scans differ only in their suffix. A run over
    a folder does not read such files as scans.

    Args:
        scans: A file, folder or pattern, or several of them, as for `run`.
        out: A `.png` or `.jpg` file for a single scan, or a folder for all images, which is created. Several pages of a
            scan go to `page-001.png`, `page-002.png` for a file `page.png`.
        settings: The models and how they are used.
        stage: `read`, `sheet`, `level`, `tiles`, `detections`, `crops` or `lines`.
        pages: The pages to draw, from 1; None for all. Scans that do not have one of them are skipped.
        max_side_px: The longer side of a drawn page in pixels, without its legend; 0 for no limit.
        image_format: `png` or `jpg`; None for that of `out`, or `png`.
        listed: Files and folders that are not patterns, as from `--files-from`.

    Yields:
        Each page, as soon as its image is written. Pages that cannot be read are among them.

    Raises:
        UsageError: An argument is wrong, or a single scan does not have one of the pages.
        NothingToRead: There is no scan.
        OutputError: An image cannot be written.
    """
    if stage not in STAGES:
        raise UsageError(f"the stage {stage} does not exist; choose one of {', '.join(STAGES)}")
    if max_side_px < 0:
        raise UsageError(f"a longest side of {max_side_px} pixels; give a positive number, or 0 for no limit")
    settings = settings or Settings()
    given = _as_list(scans)
    found = _found(given, listed, settings)
    targets = Targets(
        scans=found.scans,
        out=None if out is None else Path(out),
        image_format=image_format,
        one_scan=_is_one_file(given, listed, found),
        one_page=pages is not None and len(pages) == 1,
    )
    for page in _read(found.scans, pages, settings, all_needed=targets.one_scan):
        if page.pixels is None or page.read is None or page.read.page.level is None:
            yield Preview(page.result, None)
            continue
        path = targets.of_page(page.scan, page.result.page.page or 1, page.pages)
        drawn = STAGES[stage](Stages(page.pixels, page.read.page.level, page.read, page.result, max_side_px))
        write_image(path, drawn)
        yield Preview(page.result, path)


def contact_sheet(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    pages: Sequence[int] | None = None,
    listed: Sequence[str | Path] = (),
    on_page: Callable[[PageResult], None] | None = None,
) -> ContactSheet:
    """Read pages and draw all digits for review on sheets, the least sure first.

    Each digit is shown in its number, with what was read, the second reading, confidences, marks, file and page.

    Args:
        scans: A file, folder or pattern, or several of them, as for `run`.
        out: A `.png` or `.jpg` file. Several sheets go to `sheet-001.png`, `sheet-002.png` for a file `sheet.png`.
        settings: The models and how they are used.
        pages: The pages to read, from 1; None for all.
        listed: Files and folders that are not patterns, as from `--files-from`.
        on_page: Called with each page when it is read, also with pages that cannot be read.

    Returns:
        The sheets that were written.

    Raises:
        UsageError: An argument is wrong, or a single scan does not have one of the pages.
        NothingToRead: There is no scan.
        OutputError: A sheet cannot be written.
    """
    settings, out = settings or Settings(), Path(out)
    given = _as_list(scans)
    found = _found(given, listed, settings)
    check_image_file(out, file_ids(found.scans))
    digits = DoubtfulDigits()
    count = failures = 0
    for page in _read(found.scans, pages, settings, all_needed=_is_one_file(given, listed, found)):
        if page.pixels is None:
            failures += 1
        else:
            count += 1
            digits.add(page.pixels, page.result)
        if on_page:
            on_page(page.result)
    kept = digits.in_order()
    paths = sheet_paths(out, len(kept))
    for path, sheet in zip(paths, draw_sheets(kept, digits.count), strict=True):
        write_image(path, sheet)
    return ContactSheet(tuple(paths), digits.count, count, failures)


def _as_list(scans: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [scans] if isinstance(scans, (str, Path)) else list(scans)


def _is_one_file(given: Sequence[str | Path], listed: Sequence[str | Path], found: Found) -> bool:
    if len(given) != 1 or listed:
        return False
    if is_url(given[0]):
        return [scan.place for scan in found.scans] == [shown_url(given[0])]
    return Path(given[0]).is_file()


def _found(given: Sequence[str | Path], listed: Sequence[str | Path], settings: Settings) -> Found:
    found = find_scans(given, listed, recursive=settings.recursive)
    if not found.scans:
        raise NothingToRead(f"{nothing_to_read(found.roots, len(found.passed_over))}; give a folder that has some")
    return found


def _read(
    scans: Sequence[Scan], pages: Sequence[int] | None, settings: Settings, *, all_needed: bool
) -> Iterator[_ReadPage]:
    """Each page, one at a time. With `all_needed`, a missing page is a UsageError."""
    forms = load_forms(settings.form, max_megapixels=settings.max_megapixels, pdf_password=settings.pdf_password)
    reader: Reader | None = None
    read_any = False
    for scan in scans:
        for page in _pages(scan, pages, settings, all_needed=all_needed):
            read_any = True
            try:
                if isinstance(page, ScanError):
                    raise page
                if isinstance(page, BadPage):
                    raise page.error
                prepared = prepare_page(page, forms)
            except Exception as fault:
                number = page.number if isinstance(page, (Page, BadPage)) else None
                yield _ReadPage(scan, PageResult(failed(scan, number, as_scan_error(scan, fault, MEMORY_FIX)).row))
                continue
            reader = reader or _reader(settings, forms)
            read, result = reader.result(prepared)
            yield _ReadPage(scan, result, page.pages, page.pixels, read)
            del page, prepared, read, result  # before the next page is decoded
    if not read_any:
        raise UsageError(f"no scan has one of the pages {', '.join(map(str, pages or ()))}; give --pages that exist")


def _pages(
    scan: Scan, pages: Sequence[int] | None, settings: Settings, *, all_needed: bool
) -> Iterator[Page | BadPage | ScanError]:
    """The selected pages of a scan; its error if the file as a whole cannot be read."""
    limit, password = settings.max_megapixels, settings.pdf_password
    for first, last in [(1, None)] if pages is None else page_ranges(pages):
        following = first
        try:
            for page in load_pages(scan, max_megapixels=limit, first=first, last=last, pdf_password=password):
                following = page.number + 1
                yield page
                del page
        except Exception as fault:
            yield as_scan_error(scan, fault, MEMORY_FIX)
            return
        if all_needed and last is not None and following <= last:
            raise UsageError(f"{scan.name}: has no page {following}; give --pages that exist")


def _reader(settings: Settings, forms: tuple[Form, ...]) -> Reader:
    return Reader(
        settings.model,
        detector=settings.detector,
        device=settings.device,
        batch_size=settings.batch_size,
        min_confidence=settings.min_confidence,
        max_error=settings.max_error,
        printed=settings.printed,
        blank=settings.blank,
        form=forms,
        pdf_password=settings.pdf_password,
    )
