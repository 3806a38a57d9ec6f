"""Recognise the format of a file by its first bytes, also of the formats that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath


class Kind(Enum):
    """The formats that are read."""

    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"
    PDF = "PDF"
    BMP = "BMP"
    WEBP = "WebP"
    PNM = "PNM"
    JPEG2000 = "JPEG 2000"
    GIF = "GIF"
    HEIF = "HEIF"
    AVIF = "AVIF"


@dataclass(frozen=True)
class Refused:
    """A format that is recognised but not read."""

    name: str
    """As it is called in a message."""
    fix: str
    """How to convert it."""


_JXL = Refused("a JPEG XL image", "convert it first, for instance with: djxl page.jxl page.png")
_RAW = Refused("a camera's raw file", "develop it first, for instance with: darktable-cli page.nef page.tif")
_DJVU = Refused("a DjVu document", "convert it first, for instance with: ddjvu -format=tiff page.djvu page.tif")
_PSD = Refused(
    "an image with layers", "save it as PNG, or convert it, for instance with: magick 'page.psd[0]' page.png"
)
_POSTSCRIPT = Refused("a PostScript file", "convert it first, for instance with: ps2pdf page.ps page.pdf")

_READ_SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .tif .tiff .bmp .dib .webp .pbm .pgm .ppm .pnm "
    ".jp2 .j2k .jpx .jpf .jpc .j2c .gif .pdf .heic .heif .hif .avif".split()
)
_RAW_SUFFIXES = frozenset(".dng .cr2 .cr3 .crw .nef .nrw .arw .orf .rw2 .raf .pef .srw".split())
_OTHER_SUFFIXES = frozenset(".jxl .djvu .djv .psd .psb .xcf".split())

SUFFIXES = _READ_SUFFIXES | _RAW_SUFFIXES | _OTHER_SUFFIXES
"""Lower-case suffixes of scans in a folder. Those that cannot be read become failed rows."""

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Little and big endian; the last two are BigTIFF."""

_STARTS: tuple[tuple[bytes, Kind | Refused], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    *((start, Kind.TIFF) for start in TIFF_STARTS),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.JPEG2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG2000),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"\xff\x0a", _JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JXL),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"IIU\0", _RAW),
    (b"FUJIFILM", _RAW),
    (b"AT&TFORM", _DJVU),
    (b"8BPS", _PSD),
    (b"gimp xcf", _PSD),
    (b"%!PS", _POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", _POSTSCRIPT),
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_CANON_RAW_BRAND = b"crx "
_MAX_BRANDS = 32
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Lengths of the header of a BMP. They distinguish it from a text that starts with BM."""
_MAX_BEFORE_PDF = 1024
"""Bytes that may precede a PDF, as in other readers."""


def kind_of(data: bytes, path: PurePath) -> Kind | Refused | None:
    """Return the format of a file, or None if it is not known.

    Args:
        data: The file, or at least its first 1,040 bytes.
        path: Its path. Only the suffix of a raw file is used, because many of these are TIFF inside.
    """
    for start, kind in _STARTS:
        if data.startswith(start):
            is_raw = kind is Kind.TIFF and path.suffix.lower() in _RAW_SUFFIXES
            return _RAW if is_raw else kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return Kind.BMP
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in b" \t\r\n#" and len(data) > 2:
        return Kind.PNM
    if data[4:8] == b"ftyp":
        return _kind_by_brands(data)
    return Kind.PDF if b"%PDF-" in data[:_MAX_BEFORE_PDF] else None


def _kind_by_brands(data: bytes) -> Kind | Refused | None:
    """Return the format of a file of the ISO base media family by its major brand, then by those compatible.

    The major brand of an AVIF may be the general `mif1`.
    """
    length = min(int.from_bytes(data[:4]), 16 + 4 * _MAX_BRANDS)
    major, *compatible = (data[place : place + 4] for place in (8, *range(16, length - 3, 4)))
    if major == _CANON_RAW_BRAND:
        return _RAW
    is_general = major in (b"mif1", b"msf1")
    if major in _AVIF_BRANDS or (is_general and not _AVIF_BRANDS.isdisjoint(compatible)):
        return Kind.AVIF
    return Kind.HEIF if major in _HEIF_BRANDS else None
