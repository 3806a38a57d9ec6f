"""TIFF: each frame is a page, decoded by Pillow when it is needed. Thumbnails and masks are not pages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO, TiffImageFile

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels
from batchocr.sources.grey import OddPixels, grey
from batchocr.sources.resolution import Resolution, resolution_of
from batchocr.sources.source import BadPage, Source
from batchocr.sources.tiff_directory import (
    COMPRESSION,
    MAX_ENTRIES,
    PHOTOMETRIC,
    FileFromFrame,
    Head,
    Layout,
    directories,
    entries,
    head,
    is_torn,
    numbers,
)
from batchocr.sources.tiff_jpeg import OLD_JPEG, read_old_jpeg

MAX_THUMBNAIL_PX = 512
"""Longer side of a frame that may be a thumbnail although no tag says so."""
MIN_REDUCTION = 3
"""A page is at least this many times as wide as its thumbnail."""
MIN_CORRELATION = 0.8
"""Least correlation of the pixels of a page and of its thumbnail, both reduced."""
MAX_UNIFORM_SPREAD, MAX_UNIFORM_DIFFERENCE = 2.0, 16.0
"""Of blank pages, whose pixels have no correlation: standard deviation, and difference of the means, of 255."""

_BITS = 258
_PLANES = 2
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_COMPARED_SIDE_PX = 64
_MAX_NUMBERS = 200_000
"""Values of one entry, such as the positions of the strips. A palette of 16 bits has 196,608. Of 2 million strips,
Pillow makes 1 GB of objects in 25 s."""
_FIX = "save it as 8-bit grey TIFF or as PNG"


def load_frames(source: Source, first: int, last: int | None) -> Iterator[Page | BadPage]:
    """Yield the pages `first` to `last`. A page that cannot be read is a BadPage.

    Raises:
        ScanError: No page of the file can be read.
    """
    if source.data.startswith(b"MM\0+"):  # Pillow reads it as a small TIFF
        raise source.fault("unsupported", "a big-endian BigTIFF, which cannot be read", _FIX)
    layout = Layout(source.data)
    starts, torn = directories(source, layout)
    if not starts:
        raise source.damaged(torn or "it has no pages")
    starts = _pages(source, layout, starts)
    pages = len(starts) + bool(torn)
    for number in range(max(first, 1), min(last or pages, pages) + 1):
        try:
            if number > len(starts):
                raise source.damaged(torn, number)
            pixels, resolution = _decode(source, layout, starts[number - 1], number)
            yield source.page(pixels, resolution, number=number, pages=pages)
        except ScanError as error:
            yield source.bad_page(error, number=number, pages=pages)


def _pages(source: Source, layout: Layout, starts: list[int]) -> list[int]:
    """Return the directories of frames that are pages.

    Frames that are marked as thumbnails or masks are left out, unless no others remain. Small frames that are copies of
    the page before are left out too. Only the first small frame is decoded and compared. If it is a copy, the writer of
    the file adds thumbnails, and each other frame of such a size is one.
    """
    heads = [head(source.data, layout, start) for start in starts]
    heads = [each for each in heads if not each.is_marked] or heads
    small = {frame.start: page.start for page, frame in pairwise(heads) if _may_be_thumbnail(page, frame)}
    if not small or not _is_copy(source, layout, *next(iter(small.items()))):
        return [each.start for each in heads]
    return [each.start for each in heads if each.start not in small]


def _may_be_thumbnail(page: Head, frame: Head) -> bool:
    """Return whether a frame has the size of a thumbnail of a page: much smaller, in the same proportion."""
    if min(frame.width, frame.height) < 1 or max(frame.width, frame.height) > MAX_THUMBNAIL_PX:
        return False
    across, down = page.width / frame.width, page.height / frame.height
    if min(across, down) < MIN_REDUCTION:
        return False
    return abs(page.width / down - frame.width) < 1.5 or abs(page.height / across - frame.height) < 1.5


def _is_copy(source: Source, layout: Layout, frame: int, page: int) -> bool:
    """Return whether two frames, given by the positions of their directories, show the same."""
    try:
        large, small = (_decode(source, layout, start, 1)[0] for start in (page, frame))
    except ScanError:
        return False  # reading them as pages reports the reason
    scale = min(1.0, _COMPARED_SIDE_PX / max(small.shape))
    size = max(1, round(small.shape[1] * scale)), max(1, round(small.shape[0] * scale))
    a, b = (
        np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), np.float64).ravel()
        for pixels in (large, small)
    )
    if max(a.std(), b.std()) <= MAX_UNIFORM_SPREAD:
        return bool(abs(a.mean() - b.mean()) <= MAX_UNIFORM_DIFFERENCE)
    return min(a.std(), b.std()) > 0 and bool(np.corrcoef(a, b)[0, 1] >= MIN_CORRELATION)


def _decode(source: Source, layout: Layout, start: int, number: int) -> tuple[Pixels, Resolution]:
    """Return the pixels of the frame whose directory is at `start`, upright, and its resolution. Raises ScanError."""
    with source.decoding(number):
        found = list(islice(entries(source.data, layout, start), MAX_ENTRIES + 1))
        if len(found) > MAX_ENTRIES:
            raise source.damaged(f"its directory has more than {MAX_ENTRIES} entries", number)
        count = max((entry.count for entry in found if entry.has_numbers), default=0)
        if count > _MAX_NUMBERS:
            raise source.fault("unsupported", f"{count} strips or other numbers in one entry", _FIX, number)
    tags = numbers(source.data, layout, start)
    if tags.get(COMPRESSION) == OLD_JPEG:
        return read_old_jpeg(source, tags, number), Resolution()
    return _decode_by_pillow(source, layout, start, number)


def _decode_by_pillow(source: Source, layout: Layout, start: int, number: int) -> tuple[Pixels, Resolution]:
    with source.decoding(number):
        try:
            frame = _Frame(FileFromFrame(source.data, layout, start))
            source.check_size(*frame.size, number)
            resolution = resolution_of(frame)
            pixels = grey(frame)
        except OddPixels as error:
            if is_torn(source.data, layout, start):
                raise source.damaged("the file ends within what its directory points to", number) from error
            raise source.fault("unsupported", f"pixels that cannot be read ({error})", _FIX, number) from error
        return (255 - pixels if frame.is_inverted else pixels), resolution


class _Frame(TiffImageFile):
    """A frame of Pillow's that also inverts 16-bit grey, and reports kinds of pixels that Pillow does not read."""

    is_inverted = False
    """Whether white is 0 and Pillow does not invert it."""

    def _setup(self) -> None:
        tags: Any = self.tag_v2
        if tags.get(_BITS) == (16,) and tags.get(PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO:
            tags[PHOTOMETRIC], self.is_inverted = _BLACK_IS_ZERO, True
        if tags.get(COMPRESSION, 1) not in COMPRESSION_INFO:
            raise OddPixels(f"compression {tags[COMPRESSION]!s:.20}")
        try:
            super()._setup()
        except SyntaxError as error:
            raise OddPixels(error.msg) from error
        if self._compression == "webp":
            raise OddPixels("WebP within TIFF")
        if self._planar_configuration == _PLANES and self._compression == "raw" and max(tags.get(_BITS, (1,))) > 8:
            raise OddPixels("planes of 16 bits")  # Pillow confuses them
