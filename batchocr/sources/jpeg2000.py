"""JPEG 2000: what its headers ask room for. OpenJPEG makes it all before it decodes a pixel."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MOST_TILES = 16_384
"""OpenJPEG keeps 8 kB of each. In tiles of 128 by 128 pixels, 250 megapixels are 15,259."""
MOST_BLOCKS = 1_000_000
"""It keeps 0.5 kB of each. In blocks of 64 by 64, as nearly all have, 250 megapixels of colour are 244,000."""
_MOST_PARTS = 100_000  # a tile may come in several

_BOXES = b"\0\0\0\x0cjP  "
_SOC, _SIZ, _COD, _COC, _SOT, _SOD, _EOC = (bytes((0xFF, code)) for code in (0x4F, 0x51, 0x52, 0x53, 0x90, 0x93, 0xD9))
_SIZE = struct.Struct(">IIIIIIIIH")  # width, height and offsets of the grid, of its tiles; components
_WIDE = 257  # components, from which on their numbers take two bytes


class BadCodestream(Exception):
    """The headers are not what the format asks for."""


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
    """Coded by themselves: the most that all tiles can have, by any of the headers."""

    @property
    def is_too_much(self) -> bool:
        """Whether room for what stands beside the pixels would be the larger part."""
        return self.tiles > MOST_TILES or self.blocks > MOST_BLOCKS


def read_codestream(data: bytes) -> Codestream:
    """What the codestream in `data` tells of itself, within boxes or bare. Raises BadCodestream."""
    try:
        return _read(data, _start(data))
    except (struct.error, IndexError, ZeroDivisionError) as error:
        raise BadCodestream("its header is torn") from error


def _start(data: bytes) -> int:
    """Where the codestream begins: what looks like one in another box is none."""
    place = 0
    if data.startswith(_BOXES):
        while data[place + 4 : place + 8] != b"jp2c":
            length, head = struct.unpack_from(">I", data, place)[0], 8
            if length == 1:
                length, head = struct.unpack_from(">Q", data, place + 8)[0], 16
            if length < head:
                raise BadCodestream("it holds no picture")
            place += length
        place += 16 if data[place : place + 4] == b"\0\0\0\1" else 8
    if data[place : place + 4] != _SOC + _SIZ:
        raise BadCodestream("it holds no picture")
    return place + 2


def _read(data: bytes, start: int) -> Codestream:
    right, down, left, top, across, along, tiles_left, tiles_top, components = _SIZE.unpack_from(data, start + 6)
    width, height = max(right - left, 0), max(down - top, 0)
    tiles = -((tiles_left - right) // across) * -((tiles_top - down) // along)
    blocks, place, part, parts = 0, start, 0, 0
    while (marker := data[place : place + 2]) not in (_EOC, b""):
        if marker == _SOD:
            place = part
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker == _SOT:
            (size,) = struct.unpack_from(">I", data, place + 6)
            part, parts = place + size if size >= length + 2 else len(data), parts + 1
            if parts > _MOST_PARTS:
                raise BadCodestream(f"it is in more than {_MOST_PARTS} parts")
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
