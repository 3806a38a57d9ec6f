"""Ways to break a file: anywhere, or in the parts that its format defines.

Checksums are fixed after a change, so that decoders continue. The random numbers come from a
`random.Random`, which may be that of hypothesis.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from format_cases import CASES
from format_files import png_chunk

SAMPLES = Path(__file__).parents[2] / "samples"
SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "PNM": ".pnm", "JPEG 2000": ".jp2"}
HEADER = 256  # bytes at the start or the end, where most fields of formats are
BOUNDARY_VALUES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBER_TEXTS = (
    b"0",
    b"-1",
    b"1",
    b"3",
    b"0.0001",
    b"65536",
    b"2147483648",
    b"99999999999999999999",
    b"1e9",
    b"nan",
    b"45",
)
PNG_START = b"\x89PNG\r\n\x1a\n"
CODESTREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000

Mutation = Callable[[bytearray, Random], None]
Piece = tuple[int, int]


def flip(data: bytearray, rng: Random) -> None:
    """Flip some bits anywhere."""
    for _ in range(rng.randint(1, 19)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(data: bytearray, rng: Random) -> None:
    """Cut off the end."""
    del data[rng.randint(1, len(data)) :]


def insert(data: bytearray, rng: Random) -> None:
    """Insert bytes."""
    place = rng.randint(0, len(data))
    data[place:place] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 63)))


def remove(data: bytearray, rng: Random) -> None:
    """Remove bytes."""
    place = rng.randrange(len(data))
    del data[place : place + rng.randint(1, 63)]


def repeat(data: bytearray, rng: Random) -> None:
    """Duplicate a piece."""
    place = rng.randrange(len(data))
    data[place:place] = data[place : place + rng.randint(1, 511)]


def blank(data: bytearray, rng: Random) -> None:
    """Replace a piece by zeros, as a damaged disk does."""
    place = rng.randrange(len(data))
    end = min(place + rng.randint(1, 511), len(data))
    data[place:end] = bytes(end - place)


def edit(data: bytearray, rng: Random) -> None:
    """Change a number in the header or at the end."""
    near = rng.randrange(min(HEADER, len(data)))
    _write(data, near if rng.random() < 0.8 else len(data) - 1 - near, len(data), rng)


def within(data: bytearray, rng: Random) -> None:
    """Change a number in a part of the format: a chunk, a segment or an entry of a directory."""
    if pieces := list(_pieces(data)):
        start, stop = rng.choice(pieces)
        _write(data, rng.randrange(start, stop), stop, rng)
        _fix_png_checksums(data)


def again(data: bytearray, rng: Random) -> None:
    """Repeat a part of the format many times, or replace another part by its content."""
    if pieces := list(_pieces(data)):
        start, stop = rng.choice(pieces)
        piece = data[start:stop]
        other = rng.choice(pieces)
        if rng.random() < 0.5:
            data[other[0] : other[1]] = piece[: other[1] - other[0]].ljust(other[1] - other[0], b"\0")
        else:
            data[stop:stop] = piece * rng.choice((1, 2, 100))
        _fix_png_checksums(data)


def inflated(data: bytearray, rng: Random) -> None:
    """Break, lengthen or shorten a deflated stream after inflating it, and deflate it again."""
    for found in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", bytes(data)):
        stream = zlib.decompressobj()
        try:
            content = bytearray(stream.decompress(data[found.start() :], 1 << 20))
        except zlib.error:
            continue
        if content and stream.eof:
            rng.choice((flip, cut, repeat, edit))(content, rng)
            _replace(data, found.start(), len(data) - len(stream.unused_data), zlib.compress(content))
            return


def number(data: bytearray, rng: Random) -> None:
    """Change a number in text, as in PDF and PNM."""
    if found := list(re.finditer(rb"(?<=[\s\[])-?\d+(?:\.\d+)?(?=[\s\]/>])", bytes(data[:4096]))):
        one = rng.choice(found)
        data[one.start() : one.end()] = rng.choice(NUMBER_TEXTS)


ANYWHERE: tuple[Mutation, ...] = (flip, cut, insert, remove, repeat, blank, edit, edit)
BY_FORMAT: dict[str, tuple[Mutation, ...]] = {
    ".png": (within, again, inflated),
    ".jpg": (within, again),
    ".tif": (within, within, again, inflated),
    ".pdf": (number, number, inflated),
    ".pnm": (number,),
    ".jp2": (within, again),
    ".webp": (within, again),
    ".gif": (within,),
    ".bmp": (within,),
}


def mutations(suffix: str) -> tuple[Mutation, ...]:
    """Return all mutations that make sense for a format."""
    return ANYWHERE + 2 * BY_FORMAT.get(suffix, ())


def seeds(max_bytes: int) -> list[tuple[str, bytes]]:
    """Return intact files of all formats with their suffixes; samples only up to `max_bytes` bytes."""
    small = [(SUFFIXES.get(case.format, f".{case.format.lower()}"), bytes(case.data)) for case in CASES if case.pixels]
    samples = [path for path in sorted(SAMPLES.rglob("*")) if path.suffix not in (".py", ".md", ".csv", "")]
    return small + [(path.suffix, path.read_bytes()) for path in samples if path.stat().st_size <= max_bytes]


def _write(data: bytearray, place: int, stop: int, rng: Random) -> None:
    """Write a boundary value of 1, 2 or 4 bytes in either byte order."""
    size = min(rng.choice((1, 2, 4)), stop - place)
    value = rng.choice(BOUNDARY_VALUES) % (1 << 8 * size)
    data[place : place + size] = value.to_bytes(size, "big" if rng.random() < 0.5 else "little")


def _pieces(data: bytearray) -> Iterator[Piece]:
    """Yield start and end of the content of each part of the format; each has at least one byte."""
    walk: Callable[[bytearray], Iterator[Piece]] | None = None
    if data.startswith(PNG_START):
        walk = _png_pieces
    elif data[:2] == b"\xff\xd8":
        walk = _marker_pieces
    elif data.find(CODESTREAM) >= 0:
        walk = _codestream_pieces
    elif data.startswith((b"II", b"MM")):
        walk = _tiff_pieces
    elif data[:4] == b"RIFF":
        walk = _riff_pieces
    elif data.startswith((b"BM", b"GIF")):
        yield 2, min(70, len(data))
    if walk is not None:
        yield from ((start, min(stop, len(data))) for start, stop in walk(data) if start < min(stop, len(data)))


def _png_pieces(data: bytearray) -> Iterator[Piece]:
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        yield place + 8, place + 8 + length
        place += 12 + length


def _marker_pieces(data: bytearray, place: int = 2) -> Iterator[Piece]:
    """Yield the segments of a JPEG up to its pixel data, and the pixel data."""
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] not in (0xDA, 0x93, 0xD9):
        length = int.from_bytes(data[place + 2 : place + 4])
        yield place + 4, place + 2 + length
        place += 2 + length
    yield place, len(data)


def _codestream_pieces(data: bytearray) -> Iterator[Piece]:
    """Yield the boxes before the codestream of a JPEG 2000, and its marker segments."""
    start = data.index(CODESTREAM)
    yield 0, start
    yield from _marker_pieces(data, start + 2)


def _tiff_pieces(data: bytearray) -> Iterator[Piece]:
    """Yield the entries of the first directory, and the offset of the next."""
    order = "<" if data[:1] == b"I" else ">"
    yield 4, 8
    if len(data) >= 8:
        (start,) = struct.unpack_from(order + "I", data, 4)
        if start + 2 <= len(data):
            (entries,) = struct.unpack_from(order + "H", data, start)
            yield from ((start + 2 + 12 * entry, start + 14 + 12 * entry) for entry in range(min(entries, 100)))
            yield start + 2 + 12 * entries, start + 6 + 12 * entries


def _riff_pieces(data: bytearray) -> Iterator[Piece]:
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield place + 8, place + 8 + length
        place += 8 + length + length % 2


def _fix_png_checksums(data: bytearray) -> None:
    """Fix the checksums of a PNG."""
    if data.startswith(PNG_START):
        for start, stop in _png_pieces(data):
            data[stop : stop + 4] = struct.pack(">I", zlib.crc32(data[start - 4 : stop]))[: max(len(data) - stop, 0)]


def _replace(data: bytearray, start: int, stop: int, content: bytes) -> None:
    """Replace a piece by `content`; in a PNG with one chunk of pixels, as that chunk."""
    if data.startswith(PNG_START) and data[start - 4 : start] == b"IDAT":
        data[start - 8 : stop + 4] = png_chunk(b"IDAT", content)
    else:
        data[start:stop] = content
