"""Check how much memory the headers of a JPEG 2000 require. OpenJPEG allocates all of it before it decodes a pixel.

The syntax is that of ISO/IEC 15444-1, annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from batchocr.sources.source import Source

MAX_TILES = 16_384
"""OpenJPEG keeps 8 kB of each. In tiles of 128 by 128 pixels, 250 megapixels are 15,259."""
MAX_BLOCKS = 1_000_000
"""OpenJPEG keeps 0.5 kB of each. In the usual blocks of 64 by 64, 250 megapixels of colour are 244,000."""
_MAX_PARTS = 100_000  # a tile may have several

_BOXES = b"\0\0\0\x0cjP  "
_SOC, _SIZ, _COD, _COC, _SOT, _SOD, _EOC = (bytes((0xFF, code)) for code in (0x4F, 0x51, 0x52, 0x53, 0x90, 0x93, 0xD9))
_WITH_LENGTH = frozenset(bytes((0xFF, code)) for code in (*range(0x50, 0x65), *range(0x74, 0x79), 0x90))
"""Markers that a length follows. OpenJPEG skips others in its own way, and may then find what is not checked here."""
_SIZE = struct.Struct(">IIIIIIIIH")  # width, height and offsets of the grid, of its tiles; components
_TWO_BYTE_COMPONENTS = 257  # with this many components, their numbers take two bytes


@dataclass(frozen=True)
class Codestream:
    """What the headers of a codestream state."""

    width: int
    height: int
    components: int
    bits: int
    """Bits per sample of the first component."""
    tiles: int
    blocks: int
    """Code blocks, which are coded one by one: the largest number by any of the headers."""


def checked_codestream(source: Source, data: bytes, number: int | None = None) -> Codestream:
    """Return what the headers of a JPEG 2000 state, if it is not too much.

    The size that a box or a PDF states outside the codestream may be another.

    Args:
        source: The scan, for messages and its limit of pixels.
        data: The JPEG 2000, with boxes or without.
        number: The page, from 1.

    Raises:
        ScanError: `damaged`, `too-large` or `unsupported`.
    """
    try:
        codestream = _read(data, _start(data))
    except (ValueError, struct.error, IndexError, ZeroDivisionError) as error:
        raise source.damaged("the header of its JPEG 2000 cannot be read", number) from error
    source.check_size(codestream.width, codestream.height, number, "holds a JPEG 2000 of")
    if codestream.tiles > MAX_TILES or codestream.blocks > MAX_BLOCKS:
        what = f"a JPEG 2000 with {codestream.tiles} tiles and up to {codestream.blocks} blocks"
        raise source.fault("unsupported", what, "save it as PNG", number)
    return codestream


def _start(data: bytes) -> int:
    """Return where the codestream starts; what looks like one within another box is skipped.

    Raises ValueError, struct.error.
    """
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
                raise ValueError("a part that ends before it starts")
            place = part
            continue
        if marker not in _WITH_LENGTH:
            raise ValueError("an unknown marker in the header")
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker == _SOT:
            (size,) = struct.unpack_from(">I", data, place + 6)
            part, parts = place + size if size >= length + 2 else len(data), parts + 1
            if parts > _MAX_PARTS:
                raise ValueError("too many parts")
        elif marker in (_COD, _COC):
            coding = data[place + 4 : place + 2 + length]
            if marker == _COC:
                coding = coding[1 + (components >= _TWO_BYTE_COMPONENTS) :]  # without the component's number
            own = coding[1:] if marker == _COC else coding[5:]
            blocks = max(blocks, components * _blocks(own, bool(coding[0] & 1), width, height))
        place += 2 + length
    return Codestream(width, height, components, (data[start + 40] & 0x7F) + 1, tiles, blocks)


def _blocks(coding: bytes, has_precincts: bool, width: int, height: int) -> int:
    """Return the number of code blocks of one component, in all precincts of all its resolutions."""
    levels, count = coding[0], 0
    for level in range(levels + 1):
        precinct = coding[5 + level] if has_precincts else 0xFF
        is_half = level > 0  # the bands of a resolution are half its size
        across = min((coding[1] & 15) + 2, max((precinct & 15) - is_half, 0)) + is_half
        down = min((coding[2] & 15) + 2, max((precinct >> 4) - is_half, 0)) + is_half
        columns, rows = (-(-side >> (levels - level)) for side in (width, height))
        count += (3 if is_half else 1) * -(-columns >> across) * -(-rows >> down)
    return count
