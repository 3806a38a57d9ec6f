"""Build the review page of a run."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from batchocr.errors import NothingToRead, OutputError, ScanError
from batchocr.output.atomic_write import whole_files
from batchocr.records import Box, Page, Pixels, Scan
from batchocr.review.decision import COLUMNS, Kind
from batchocr.review.page.assets import script, style
from batchocr.review.page.images import (
    ImageParameters,
    as_webp,
    cut_square,
    cut_surroundings,
    reduce_page,
    sheet_of,
)
from batchocr.review.page.items import Item, choose_items
from batchocr.review.page.only import only_items
from batchocr.review.page.render import render
from batchocr.review.page.scans import scans_by_name
from batchocr.review.page.tables import Place, RunTables, read_tables
from batchocr.sources import load_pages

_SHEET_COLUMNS = 16


@dataclass(frozen=True)
class BuiltPage:
    """What was written."""

    items: int
    pages: int
    left_out: tuple[str, ...]
    """Why scans are not on the page: missing, changed or unreadable; a line for each."""
    seed: int


def compose_page(
    results: str | Path,
    *,
    only: Path | None = None,
    scans: Sequence[str | Path] = (),
    audit: int = 0,
    known_share: float = 0.03,
    seed: int | None = None,
    page_px: int = 1400,
    max_mb: float = 200.0,
    served: bool = False,
) -> tuple[str, BuiltPage]:
    """Return the HTML of the page on which a person reviews the results of a run, and what is on it.

    Args:
        results: The results, as `--out` of the run was given.
        only: A file of corrections or of differences: only what it is about is shown, without audit and known items.
        scans: Where the scans are, if the journal does not know.
        audit: Accepted fields to draw at random; numbers if the run had no form.
        known_share: Share of items with a known answer, 0 to 1.
        seed: Of the audit and the known items. None is a number made from the id of the run.
        page_px: Longer side of the reduced pages in pixels.
        max_mb: Size of the file at most, in megabytes.
        served: Whether `ReviewServer` is to serve it.

    Raises:
        OutputError: The results cannot be read, or the page would be too large.
        UsageError: `only` cannot be read, or is about no item of the results.
        NothingToRead: No scan of the results can be shown.
    """
    tables = read_tables(results)
    if seed is None:
        seed = int(hashlib.sha256(str(tables.run["run"]).encode()).hexdigest()[:8], 16)
    kind: Kind = "field" if tables.fields else "number"
    left_out: list[str] = []
    if only:
        items = only_items(only, tables, left_out)
    else:
        items = choose_items(tables, audit=audit, audit_kind=kind, known_share=known_share, seed=seed)
    parameters = ImageParameters(page_px=page_px)
    images = _Images(parameters)
    by_place: dict[Place, list[int]] = defaultdict(list)
    if not only:
        by_place.update((place, []) for place in tables.pages)  # something may be missed where nothing was read
    for index, item in enumerate(items):
        by_place[item.place].append(index)
    for page in _pages(tables, scans_by_name(results, scans), by_place, left_out):
        images.add_page(page, tables, items, by_place[page.scan.name, page.number])
        _check_size(images.size, max_mb, results)
    if by_place and not images.pages:
        raise NothingToRead(
            f"{results}: no scan can be shown: if the scans have moved, name their place with --scans ({left_out[0]})"
        )
    data = _data(results, tables, items, images, seed)
    html = render("Review", style(), script(), data, images.files(items), served=served)
    _check_size(len(html), max_mb, results)
    return html, BuiltPage(len(data["items"]), len(images.pages), tuple(left_out), seed)


def write_page(html: str, out: Path) -> None:
    """Write the page to a file. It appears whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with whole_files([out]) as (file,):
        file.write(html.encode())


class _Images:
    """The images of the pages that were added."""

    def __init__(self, parameters: ImageParameters) -> None:
        self._parameters = parameters
        self._crops: dict[int, Pixels] = {}
        self._files: dict[str, bytes] = {}
        self.pages: list[dict[str, Any]] = []
        self.place_of: dict[int, list[Any]] = {}
        """By item: index of its page, name of its image, and its place in the image."""
        self.size = 0

    def add_page(self, page: Page, tables: RunTables, items: Sequence[Item], indices: Sequence[int]) -> None:
        row = tables.pages[page.scan.name, page.number]
        turns = round(float(row["angle"] or 0) / 90) % 4
        pixels = np.ascontiguousarray(np.rot90(page.pixels, turns))
        height, width = page.pixels.shape
        number = len(self.pages)
        self._file(f"p{number}", as_webp(reduce_page(pixels, self._parameters.page_px), self._parameters.quality))
        self.pages.append(
            {"file": page.scan.name, "page": page.number, "sha256": row["sha256"], "width": width, "height": height}
            | {"turns": turns, "marks": row["marks"]}
        )
        for index in indices:
            box = turned(items[index].box, width, height, turns)
            if items[index].kind == "digit":
                self._crops[index] = cut_square(pixels, box, self._parameters)
                self.place_of[index] = [number]
                self.size += self._parameters.crop_px**2 // 6
            else:
                image, place = cut_surroundings(pixels, box, self._parameters)
                self._file(f"n{index}", as_webp(image, self._parameters.quality))
                self.place_of[index] = [number, f"n{index}", place.left, place.top, place.width, place.height]
                self.place_of[index] += [image.shape[1], image.shape[0]]

    def files(self, items: Sequence[Item]) -> dict[str, bytes]:
        """All images. Sheets have the crops in the order of the groups, so that few are open at a time."""
        for start, part in self._sheets(items):
            sheet = sheet_of([self._crops[index] for index in part], _SHEET_COLUMNS)
            self._files[f"s{start}"] = as_webp(sheet, self._parameters.quality)
        return self._files

    def place_crops(self, items: Sequence[Item]) -> None:
        """Say where each crop is: its sheet, and its place on it."""
        for start, part in self._sheets(items):
            for place, index in enumerate(part):
                self.place_of[index] += [f"s{start}", place % _SHEET_COLUMNS, place // _SHEET_COLUMNS]

    def _sheets(self, items: Sequence[Item]) -> Iterator[tuple[int, list[int]]]:
        order = sorted(self._crops, key=lambda index: (items[index].was, items[index].confidence))
        step = self._parameters.sheet_crops
        yield from ((start, order[start : start + step]) for start in range(0, len(order), step))

    def _file(self, name: str, data: bytes) -> None:
        self._files[name] = data
        self.size += len(data) * 4 // 3


def turned(box: Box, width: int, height: int, turns: int) -> Box:
    """Return a box after quarter turns of its page to the left; the page had this width and height before."""
    for _ in range(turns):
        box = Box(box.top, width - box.right, box.height, box.width)
        width, height = height, width
    return box


def _pages(
    tables: RunTables, scans: dict[str, Scan], wanted: dict[Place, list[int]], left_out: list[str]
) -> Iterator[Page]:
    limit = float(tables.run["settings"]["max_megapixels"])
    for name in dict.fromkeys(name for name, number in tables.pages if (name, number) in wanted):
        numbers = {number for file, number in tables.pages if file == name and (file, number) in wanted}
        if name not in scans:
            left_out.append(f"{name}: its scan is not among those named")
            continue
        try:
            for page in load_pages(scans[name], max_megapixels=limit, first=min(numbers), last=max(numbers)):
                if not isinstance(page, Page):
                    left_out.append(page.error.message)
                elif page.sha256 != tables.pages.get((name, page.number), {}).get("sha256"):
                    left_out.append(f"{name}: its scan has changed since it was read: run again")
                    break
                elif page.number in numbers:
                    yield page
        except ScanError as fault:
            left_out.append(fault.message)


def _data(results: str | Path, tables: RunTables, items: Sequence[Item], images: _Images, seed: int) -> dict[str, Any]:
    images.place_crops(items)
    shown = [(*_values(i), images.place_of[index]) for index, i in enumerate(items) if index in images.place_of]
    digest = hashlib.sha256(json.dumps([shown, images.pages]).encode()).hexdigest()[:16]
    return {
        "results": Path(str(results)).name,
        "key": f"batchocr-review:{tables.run['run']}:{digest}",
        "seed": seed,
        "columns": COLUMNS,
        "pages": images.pages,
        "items": shown,
        "sheet": _SHEET_COLUMNS,
    }


def _values(item: Item) -> tuple[Any, ...]:
    """Return an item as the script reads it."""
    box = item.box.left, item.box.top, item.box.width, item.box.height
    reasons = item.marks, item.words, item.status, item.form
    first = item.kind, item.name, item.was, item.second, item.confidence
    return (*first, *box, *reasons, item.task, item.expected, item.is_marked)


def _check_size(size: int, max_mb: float, results: str | Path) -> None:
    if size > max_mb * 1e6:
        raise OutputError(
            f"{results}: the review page would have more than {max_mb:g} MB: give a smaller --page-size, raise "
            "--max-mb, or review the scans in several runs"
        )
