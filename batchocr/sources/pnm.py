"""Decode PBM, PGM and PPM, raw and ASCII. Pillow needs minutes per page if they have not 8 bits."""

from __future__ import annotations

import re
import warnings

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.sources.source import Source

_GAP = rb"(?:\s++|#[^\r\n]*+[\r\n])++"  # possessive: backtracking over a long gap would take gigabytes
_SIZE = re.compile(rb"P[1-6]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_PEAK = re.compile(_GAP + rb"(\d{1,5})")
_COMMENT = re.compile(rb"#[^\r\n]*")
_SPACES = b" \t\r\n\v\f"
_BITS, _COLOURS = (b"P1", b"P4"), (b"P3", b"P6")


def read_pnm(source: Source) -> Pixels:
    """Return the first image of the file as 8-bit grey (height, width).

    Raises:
        ScanError: `damaged` or `too-large`.
    """
    magic = source.data[:2]
    size = _SIZE.match(source.data)
    if size is None:
        raise source.damaged("its header cannot be read")
    width, height = int(size[1]), int(size[2])
    source.check_size(width, height)
    if not width * height:
        raise source.damaged("it has no pixels")
    with source.decoding():
        if magic in _BITS:
            levels = _bits(source, magic, size.end() + 1, width, height)
            return np.where(levels, np.uint8(0), np.uint8(255))
        return _shades(source, magic, size.end(), width, height)


def _bits(source: Source, magic: bytes, start: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return the bits, 1 for ink. Each raw row starts with a new byte; ASCII digits need no space between them."""
    if magic == b"P1":
        text = _COMMENT.sub(b"", source.data[start:]).translate(None, _SPACES)
        _check_length(source, len(text), width * height)
        return np.frombuffer(text, np.uint8, width * height).reshape(height, width) == ord("1")
    stride = (width + 7) // 8
    _check_length(source, len(source.data) - start, stride * height)
    packed = np.frombuffer(source.data, np.uint8, stride * height, start).reshape(height, stride)
    return np.unpackbits(packed, axis=1, count=width)


def _shades(source: Source, magic: bytes, start: int, width: int, height: int) -> Pixels:
    from PIL import Image

    peak = _PEAK.match(source.data, start)
    if peak is None or not 0 < int(peak[1]) < 1 << 16:
        raise source.damaged("its largest value is not between 1 and 65535")
    count = width * height * (3 if magic in _COLOURS else 1)
    if magic in (b"P2", b"P3"):
        levels = _numbers(source.data[peak.end() :], count)
        _check_length(source, len(levels), count)
    else:
        depth = np.dtype(np.uint8 if int(peak[1]) < 1 << 8 else ">u2")
        _check_length(source, len(source.data) - peak.end() - 1, count * depth.itemsize)
        levels = np.frombuffer(source.data, depth, count, peak.end() + 1)
    table = np.rint(np.arange(1 << 16) * (255 / int(peak[1]))).clip(0, 255).astype(np.uint8)
    shades: Pixels = table[levels]
    if magic not in _COLOURS:
        return shades.reshape(height, width)
    return np.array(Image.fromarray(shades.reshape(height, width, 3)).convert("L"), dtype=np.uint8)


def _numbers(text: bytes, count: int) -> NDArray[np.uint16]:
    """Return the first `count` numbers, or fewer if something else comes before."""
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # too few numbers are reported by their count
        numbers = np.fromstring(text, np.int32, sep=" ")[:count]
    return numbers.clip(0, (1 << 16) - 1).astype(np.uint16)


def _check_length(source: Source, present: int, needed: int) -> None:
    if present < needed:
        raise source.damaged(f"its end is missing ({present} of {needed} values are present)")
