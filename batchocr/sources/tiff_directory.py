"""The directories of a TIFF file: one per frame, each with the position of the next.

The chain is read here and not by a library, because it may be circular, torn or very long.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from batchocr.sources.source import MAX_PAGES, Source

SUBFILE_KIND, OLD_SUBFILE_KIND, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 259, 262
STRIP_OFFSETS, ORIENTATION, JPEG_OFFSET, JPEG_LENGTH = 273, 274, 513, 514
REDUCED, MASK = 1, 4
"""Bits of SUBFILE_KIND (TIFF 6.0, section 8)."""
OLD_REDUCED = 2
"""Value of OLD_SUBFILE_KIND."""

MAX_ENTRIES = 1000
"""Entries of one directory. Most have 15. Pillow needs a second for 65,000, in each frame again."""

_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value, by the type of an entry; 1 for all others."""
_SHORT = 3
_OF_HEAD = (SUBFILE_KIND, OLD_SUBFILE_KIND, WIDTH, HEIGHT)
_ENTRIES_OF_HEAD = 32
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Format of one value of an unsigned integer type."""


class Layout:
    """The byte order of a file, and the sizes of its numbers."""

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[:1] == b"I" else ">"
        is_big = b"+" in data[2:4]
        self.header_length = 16 if is_big else 8
        self.offset = struct.Struct(self.order + ("Q" if is_big else "I"))
        self.entry_count = struct.Struct(self.order + ("Q" if is_big else "H"))
        self.entry = struct.Struct(self.order + ("HHQ" if is_big else "HHI"))
        self.entry_with_value = struct.Struct(self.entry.format + ("Q" if is_big else "I"))
        self.entry_length = self.entry_with_value.size


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory."""

    tag: int
    type: int
    count: int
    """Number of its values."""
    field: int
    """Position in the file of the field that holds the values, or where they are if they do not fit."""

    @property
    def length(self) -> int:
        """Bytes of all values."""
        return self.count * _SIZES.get(self.type, 1)

    @property
    def has_numbers(self) -> bool:
        """Whether a value is larger than a byte, so that a library makes an object of each."""
        return self.type in _SIZES


def entries(data: bytes, layout: Layout, start: int) -> Iterator[Entry]:
    """Yield the entries of the directory at `start`, which must be whole."""
    (count,) = layout.entry_count.unpack_from(data, start)
    place = start + layout.entry_count.size
    for _ in range(count):
        tag, type_, count_of_values = layout.entry.unpack_from(data, place)
        yield Entry(tag, type_, count_of_values, place + layout.entry.size)
        place += layout.entry_length


@dataclass(frozen=True, slots=True)
class Head:
    """What the first entries of a directory state."""

    start: int
    """Position of the directory."""
    is_marked: bool = False
    """Whether its tags say that the frame is a thumbnail or a mask."""
    width: int = 0
    height: int = 0


def head(data: bytes, layout: Layout, start: int) -> Head:
    """Read the kind and the size of a frame. It is called for each frame of a file, and therefore quick.

    The tags are the first four of a sorted directory. Of an unsorted one, the first entries are searched.
    """
    (count,) = layout.entry_count.unpack_from(data, start)
    place = start + layout.entry_count.size
    found = dict.fromkeys(_OF_HEAD, 0)
    for tag, type_, _, value in layout.entry_with_value.iter_unpack(
        data[place : place + min(count, _ENTRIES_OF_HEAD) * layout.entry_length]
    ):
        if tag in found:
            is_left_aligned = type_ == _SHORT and layout.order == ">"
            found[tag] = value >> 16 if is_left_aligned else value & 0xFFFF if type_ == _SHORT else value
    is_marked = bool(found[SUBFILE_KIND] & (REDUCED | MASK)) or found[OLD_SUBFILE_KIND] == OLD_REDUCED
    return Head(start, is_marked, found[WIDTH], found[HEIGHT])


def numbers(data: bytes, layout: Layout, start: int) -> dict[int, int]:
    """Return by tag the first value of each entry with integers, as far as it is in the file."""
    found: dict[int, int] = {}
    for entry in islice(entries(data, layout, start), MAX_ENTRIES):
        if entry.type not in _INTEGERS or not entry.count:
            continue
        number = struct.Struct(layout.order + _INTEGERS[entry.type])
        place = entry.field
        if entry.length > layout.offset.size:
            (place,) = layout.offset.unpack_from(data, entry.field)
        if place + number.size <= len(data):
            found.setdefault(entry.tag, number.unpack_from(data, place)[0])
    return found


def is_torn(data: bytes, layout: Layout, start: int) -> bool:
    """Return whether values of a directory are outside the file."""
    return any(
        entry.length > layout.offset.size and layout.offset.unpack_from(data, entry.field)[0] + entry.length > len(data)
        for entry in entries(data, layout, start)
    )


def directories(source: Source, layout: Layout) -> tuple[list[int], str]:
    """Return the positions of all directories, and how their chain is torn: empty if it is whole.

    Raises:
        ScanError: There are more than MAX_PAGES.
    """
    data, size = source.data, len(source.data)
    starts: list[int] = []
    visited: set[int] = set()
    place = layout.header_length - layout.offset.size
    while True:
        if place + layout.offset.size > size:
            return starts, "the file ends within a page's directory"
        (start,) = layout.offset.unpack_from(data, place)
        if start == 0:
            return starts, ""
        if start in visited:
            return starts, "the chain of its pages is circular"
        if start + layout.entry_count.size > size:
            return starts, "the directory of a page is missing"
        visited.add(start)
        if len(visited) > MAX_PAGES:
            raise source.too_many_pages(f"more than {MAX_PAGES}")
        (count,) = layout.entry_count.unpack_from(data, start)
        place = start + layout.entry_count.size + count * layout.entry_length
        if place > size:
            return starts, "the file ends within a page's directory"
        starts.append(start)


class FileFromFrame(io.BytesIO):
    """The file as if one frame were its first, so that damage in an earlier frame does not matter."""

    def __init__(self, data: bytes, layout: Layout, start: int) -> None:
        super().__init__(data)
        self._data = data
        self._head = data[: layout.header_length - layout.offset.size] + layout.offset.pack(start)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes."""
        place, content = self.tell(), super().read(size)
        return self._head[place : place + len(content)] + content[max(len(self._head) - place, 0) :]

    def getvalue(self) -> bytes:
        """Return the whole file. libtiff takes it, and reads the directory of the first frame in any case."""
        if self._data.startswith(self._head):
            return self._data
        return b"".join((self._head, memoryview(self._data)[len(self._head) :]))
