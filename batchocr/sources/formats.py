"""Which kind of file it is, by its first bytes; and which kinds are scans but cannot be read."""

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


@dataclass(frozen=True)
class Refused:
    """A format that is known but not read, and what makes another of it."""

    name: str
    fix: str


_HEIF = Refused("a HEIF or HEIC picture", "convert it first, for instance with: heif-convert page.heic page.png")
_AVIF = Refused("an AVIF picture", "convert it first, for instance with: avifdec page.avif page.png")
_JXL = Refused("a JPEG XL picture", "convert it first, for instance with: djxl page.jxl page.png")
_RAW = Refused("a camera's raw file", "develop it first, for instance with: darktable-cli page.nef page.tif")
_DJVU = Refused("a DjVu document", "convert it first, for instance with: ddjvu -format=tiff page.djvu page.tif")
_PSD = Refused(
    "a picture with layers", "save it as PNG, or convert it, for instance with: magick 'page.psd[0]' page.png"
)
_POSTSCRIPT = Refused("a PostScript file", "convert it first, for instance with: ps2pdf page.ps page.pdf")

_READ_SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .tif .tiff .bmp .dib .webp .pbm .pgm .ppm .pnm "
    ".jp2 .j2k .jpx .jpf .jpc .j2c .gif .pdf".split()
)
_RAW_SUFFIXES = frozenset(".dng .cr2 .cr3 .crw .nef .nrw .arw .orf .rw2 .raf .pef .srw".split())
_OTHER_SUFFIXES = frozenset(".heic .heif .hif .avif .jxl .djvu .djv .psd .psb .xcf".split())

SUFFIXES = _READ_SUFFIXES | _RAW_SUFFIXES | _OTHER_SUFFIXES
"""What a scan in a folder is called, in small letters. Those that cannot be read are failed rows, not unseen."""

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Little and big endian; the latter two are BigTIFF."""

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
_BRANDS = {b"avif": _AVIF, b"avis": _AVIF, b"crx ": _RAW} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIF
)
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # their lengths, by which a text that begins with BM is told from one
_PDF_WITHIN = 1024  # bytes that may come before a PDF, as its readers have it


def kind_of(data: bytes, path: PurePath) -> Kind | Refused | None:
    """What `data` is, None where nothing that is known. `path` tells only raw files that look like TIFF."""
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
        return _BRANDS.get(data[8:12])
    return Kind.PDF if b"%PDF-" in data[:_PDF_WITHIN] else None
