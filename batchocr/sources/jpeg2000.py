"""JPEG 2000: what its headers ask room for. OpenJPEG makes it all before it decodes a pixel."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from batchocr.sources.source import Source

MOST_TILES = 16_384
"""OpenJPEG keeps 8 kB of each. In tiles of 128 by 128 pixels, 250 megapixels are 15,259."""
MOST_BLOCKS = 1_000_000
"""It keeps 0.5 kB of each. In blocks of 64 by 64, as nearly all have, 250 megapixels of colour are 244,000."""
_MOST_PARTS = 100_000  # a tile may come in several

_BOXES = b"\0\0\0\x0cjP  "
_SOC, _SIZ, _COD, _COC, _SOT, _SOD, _EOC = (bytes((0xFF, code)) for code in (0x4F, 0x51, 0x52, 0x53, 0x90, 0x93, 0xD9))
_WITH_LENGTH = frozenset(bytes((0xFF, code)) for code in (*range(0x50, 0x65), *range(0x74, 0x79), 0x90))
"""Others are passed over by OpenJPEG in its own way, and what it then finds would not be seen here."""
_SIZE = struct.Struct(">IIIIIIIIH")  # width, height and offsets of the grid, of its tiles; components
_WIDE = 257  # components, from which on their numbers take two bytes


@dataclass(frozen=True)
class Codestream:
    """What the headers tell."""

    width: int
    height: int
    components: int
    bits: int
    """Of the first component."""
    tiles: int
    blocks: int
    """Coded by themselves: the most that there can be, by any of the headers."""


def checked_codestream(source: Source, data: bytes, number: int | None = None) -> Codestream:
    """What the JPEG 2000 in `data` tells of itself, where that is not too much. Raises ScanError.

    The size that is told outside the codestream, by a box or by a PDF, may be another.
    """
    try:
        codestream = _read(data, _start(data))
    except (ValueError, struct.error, IndexError, ZeroDivisionError) as error:
        raise source.damaged("the header of its JPEG 2000 cannot be read", number) from error
    source.check_size(codestream.width, codestream.height, number, "holds a JPEG 2000 of")
    if codestream.tiles > MOST_TILES or codestream.blocks > MOST_BLOCKS:
        what = f"a JPEG 2000 of {codestream.tiles} tiles and up to {codestream.blocks} blocks"
        raise source.fault("unsupported", what, "save it as PNG", number)
    return codestream


def _start(data: bytes) -> int:
    """Where the codestream begins: what looks like one in another box is none. Raises ValueError, struct.error."""
    place = 0
    if data.startswith(_BOXES):
        while data[place + 4 : place + 8] != b"jp2c":
            length, head = struct.unpack_from(">I", data, place)[0], 8
            if length == 1:
                length, head = struct.unpack_from(">Q", data, place + 8)[0], 16
            if length < head:
                raise ValueError("no codestream")
            place += length
        place += 16 if data[place : place + 4] == b"\0\0\0\1" else 8
    if data[place : place + 4] != _SOC + _SIZ:
        raise ValueError("no codestream")
    return place + 2


def _read(data: bytes, start: int) -> Codestream:
    right, down, left, top, across, along, tiles_left, tiles_top, components = _SIZE.unpack_from(data, start + 6)
    width, height = max(right - left, 0), max(down - top, 0)
    tiles = -((tiles_left - right) // across) * -((tiles_top - down) // along)
    blocks, place, part, parts = 0, start, 0, 0
    while (marker := data[place : place + 2]) not in (_EOC, b""):
        if marker == _SOD:
            if part <= place:
                raise ValueError("a part that ends before it begins")
            place = part
            continue
        if marker not in _WITH_LENGTH:
            raise ValueError("a marker that is none of the header's")
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker == _SOT:
            (size,) = struct.unpack_from(">I", data, place + 6)
            part, parts = place + size if size >= length + 2 else len(data), parts + 1
            if parts > _MOST_PARTS:
                raise ValueError("too many parts")
        elif marker in (_COD, _COC):
            coding = data[place + 4 : place + 2 + length]
            if marker == _COC:
                coding = coding[1 + (components >= _WIDE) :]  # without the component's number
            own = coding[1:] if marker == _COC else coding[5:]
            blocks = max(blocks, components * _blocks(own, bool(coding[0] & 1), width, height))
        place += 2 + length
    return Codestream(width, height, components, (data[start + 40] & 0x7F) + 1, tiles, blocks)


def _blocks(coding: bytes, has_precincts: bool, width: int, height: int) -> int:
    """Of one component: each of its resolutions is cut into precincts, and these into blocks."""
    levels, count = coding[0], 0
    for level in range(levels + 1):
        precinct = coding[5 + level] if has_precincts else 0xFF
        half = level > 0  # the bands of a resolution are half its size
        across = min((coding[1] & 15) + 2, max((precinct & 15) - half, 0)) + half
        down = min((coding[2] & 15) + 2, max((precinct >> 4) - half, 0)) + half
        wide, high = (-(-side >> (levels - level)) for side in (width, height))
        count += (3 if half else 1) * -(-wide >> across) * -(-high >> down)
    return count
