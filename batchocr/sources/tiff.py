"""TIFF: every frame is a page, decoded by Pillow when it is asked for."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from PIL.TiffImagePlugin import COMPRESSION_INFO, TiffImageFile

from batchocr.errors import ScanError
from batchocr.records import Page
from batchocr.sources.grey import OddPixels, dpi_of, grey
from batchocr.sources.source import MAX_PAGES, BadPage, Source

_KIND_OF_FRAME, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 258, 259, 262
_THUMBNAIL, _MASK = 1, 4
_PLANES = 2
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # bytes of a type
_MOST_NUMBERS = 200_000
"""In one entry of a directory, such as where the strips lie; a palette of 16 bits has 196,608. Of 2 million strips,
Pillow makes 1 GB of objects in 25 s."""
_MOST_ENTRIES = 1000
"""In a directory; most have 15. Of 65,000, Pillow looks each up in a second, for each frame again."""
_MEND = "save it as 8-bit grey TIFF or as PNG"


class _Layout:
    """How numbers lie in the file: their order, and whether it is a BigTIFF."""

    def __init__(self, data: bytes) -> None:
        order = "<" if data[:1] == b"I" else ">"
        self.big = b"+" in data[2:4]
        self.head = 16 if self.big else 8
        self.offset = struct.Struct(order + ("Q" if self.big else "I"))
        self.count = struct.Struct(order + ("Q" if self.big else "H"))
        self.entry = struct.Struct(order + ("HHQI4x" if self.big else "HHII"))  # big-endian BigTIFF is refused


def load_frames(source: Source, first: int, last: int | None) -> Iterator[Page | BadPage]:
    """The frames `first` to `last`; a frame that cannot be read is a BadPage. Raises ScanError for the whole file."""
    if source.data.startswith(b"MM\0+"):  # Pillow takes it for a small TIFF
        raise source.fault("unsupported", "a big-endian BigTIFF, which cannot be read", _MEND)
    layout = _Layout(source.data)
    offsets, torn = _frames(source, layout)
    if not offsets:
        raise source.damaged(torn or "it has no pages")
    pages = len(offsets) + bool(torn)
    for number in range(max(first, 1), min(last or pages, pages) + 1):
        try:
            if number > len(offsets):
                raise source.damaged(torn, number)
            yield _load(source, layout, offsets, number, pages)
        except ScanError as error:
            yield source.bad_page(error, number=number, pages=pages)


def _frames(source: Source, layout: _Layout) -> tuple[list[int], str]:
    """Where the frames' directories lie, and how their chain is torn: empty where it is whole.

    Thumbnails and masks are no pages. A chain may be a circle, so it is walked here and not by a library.
    """
    data, size = source.data, len(source.data)
    offsets: list[int] = []
    seen: set[int] = set()
    place = layout.head - layout.offset.size
    while True:
        if place + layout.offset.size > size:
            return offsets, "the file ends within a page's directory"
        (start,) = layout.offset.unpack_from(data, place)
        if start == 0:
            return offsets, ""
        if start in seen:
            return offsets, "its pages go in a circle"
        if start + layout.count.size > size:
            return offsets, "the directory of a page is missing"
        seen.add(start)
        if len(seen) > MAX_PAGES:
            raise source.too_many_pages(f"more than {MAX_PAGES}")
        (entries,) = layout.count.unpack_from(data, start)
        place = start + layout.count.size + entries * layout.entry.size
        if place > size:
            return offsets, "the file ends within a page's directory"
        if not offsets or not _is_beside(data, layout, start + layout.count.size, entries):
            offsets.append(start)


def _is_beside(data: bytes, layout: _Layout, start: int, entries: int) -> bool:
    """Whether a frame is but a thumbnail or mask of another. Its tag is the first, for tags are sorted."""
    if not entries:
        return False
    tag, _, _, value = layout.entry.unpack_from(data, start)
    return tag == _KIND_OF_FRAME and bool(value & (_THUMBNAIL | _MASK))


def _entries(data: bytes, layout: _Layout, start: int) -> Iterator[tuple[int, int, int]]:
    """Of each entry of a directory: bytes of one of its values, how many there are, and the offset or value itself."""
    (entries,) = layout.count.unpack_from(data, start)
    for entry in range(entries):
        place = start + layout.count.size + entry * layout.entry.size
        _, kind, count, _ = layout.entry.unpack_from(data, place)
        (value,) = layout.offset.unpack_from(data, place + layout.entry.size - layout.offset.size)
        yield _SIZES.get(kind, 1), count, value


def _is_torn(data: bytes, layout: _Layout, start: int) -> bool:
    """Whether a value that a directory points to is not in the file."""
    return any(
        size * count > layout.offset.size and value + size * count > len(data)
        for size, count, value in _entries(data, layout, start)
    )


def _load(source: Source, layout: _Layout, offsets: list[int], number: int, pages: int) -> Page:
    with source.decoding(number):
        start = offsets[number - 1]
        entries = islice(_entries(source.data, layout, start), _MOST_ENTRIES + 1)
        counts = [count if size > 1 else 1 for size, count, _ in entries]
        if len(counts) > _MOST_ENTRIES:
            raise source.damaged(f"its directory has more than {_MOST_ENTRIES} entries", number)
        if max(counts, default=0) > _MOST_NUMBERS:
            raise source.fault("unsupported", f"{max(counts)} strips or other numbers in one entry", _MEND, number)
        try:
            frame = _Frame(_File(source.data, layout, start))
            source.check_size(*frame.size, number)
            pixels = grey(frame)
        except OddPixels as error:
            if _is_torn(source.data, layout, start):
                raise source.damaged("the file ends within what its directory points to", number) from error
            raise source.fault("unsupported", f"pixels that cannot be read ({error})", _MEND, number) from error
        if frame.turned:
            pixels = 255 - pixels
        return source.page(pixels, dpi_of(frame), number=number, pages=pages)


class _File(io.BytesIO):
    """The file as if one frame were its first: a bad one before it is then no trouble."""

    def __init__(self, data: bytes, layout: _Layout, offset: int) -> None:
        super().__init__(data)
        self._data = data
        self._start = data[: layout.head - layout.offset.size] + layout.offset.pack(offset)

    def read(self, size: int | None = -1, /) -> bytes:
        place, got = self.tell(), super().read(size)
        return self._start[place : place + len(got)] + got[max(len(self._start) - place, 0) :]

    def getvalue(self) -> bytes:
        """For libtiff, which wants all at once and reads the first frame's directory in any case."""
        if self._data.startswith(self._start):
            return self._data
        return b"".join((self._start, memoryview(self._data)[len(self._start) :]))


class _Frame(TiffImageFile):
    """Pillow's, with both photometrics of 16-bit grey, and telling kinds of pixels it lacks from damage."""

    turned = False
    """White is the lowest number, and was not turned by Pillow."""

    def _setup(self) -> None:
        tags: Any = self.tag_v2
        if tags.get(_BITS) == (16,) and tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO:
            tags[_PHOTOMETRIC], self.turned = _BLACK_IS_ZERO, True
        if tags.get(_COMPRESSION, 1) not in COMPRESSION_INFO:
            raise OddPixels(f"compression {tags[_COMPRESSION]!s:.20}")
        try:
            super()._setup()
        except SyntaxError as error:
            raise OddPixels(error.msg) from error
        if self._compression == "webp":
            raise OddPixels("WebP within TIFF")
        if self._planar_configuration == _PLANES and self._compression == "raw" and max(tags.get(_BITS, (1,))) > 8:
            raise OddPixels("planes of 16 bits")  # Pillow mixes them up
