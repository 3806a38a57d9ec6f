"""Which scans, which pages, and their decoding: files become grey upright pages, or a ScanError that says why."""

from __future__ import annotations

import errno
import glob
import hashlib
import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError, UsageError
from batchocr.records import Page, Pixels, Scan

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
"""What a picture in a folder is called, in small letters."""

MAX_MEGAPIXELS = 250.0
"""A0 at 200 dpi is 62, A3 at 600 dpi 70."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_MOST_BYTES_A_PIXEL = 8  # a PNG of noise, four channels of 16 bits
_BYTES_BESIDE_PIXELS = 64 << 20  # thumbnails, profiles, what cameras add


@dataclass(frozen=True)
class Found:
    """What there is to read."""

    scans: tuple[Scan, ...]
    """Sorted by name, in code point order."""
    passed_over: int
    """Files in the folders that were left out: no suffix of a picture, hidden, or no regular file."""
    roots: tuple[str, ...]
    """What was given, as the results may write it."""


@dataclass(frozen=True)
class _Given:
    """One argument, looked up: the folder its names are told below, and the files and folders it stands for."""

    base: Path
    files: Set[Path] = frozenset()
    folders: Set[Path] = frozenset()
    passed_over: Set[Path] = frozenset()


def find_scans(given: Sequence[str | Path], *, recursive: bool = True) -> Found:
    """The scans in `given`: folders, files and globs. The same path is read once, however often it was given.

    Files named directly are taken whatever they are called; in folders those with a suffix in `SUFFIXES`.
    Linked folders are read too, but never a folder twice. A folder that cannot be listed is given as a scan, so
    that it ends as a `failed` row and not unseen.

    Raises UsageError for something that is not there.
    """
    looked_up = [_look_up(str(each)) for each in given]
    taken: set[Path] = set()
    passed_over: set[Path] = set()
    for each in looked_up:
        taken.update(each.files)
        passed_over.update(each.passed_over)
        for folder in each.folders:
            for path, to_read in _files_below(folder, recursive=recursive):
                (taken if to_read else passed_over).add(path)
    bases = {each.base for each in looked_up}
    common = Path(os.path.commonpath(bases)) if bases else Path()
    scans = [Scan(path, written_name(path.relative_to(common).as_posix())) for path in taken]
    return Found(
        scans=tuple(sorted(scans, key=lambda scan: (scan.name, scan.path))),
        passed_over=len(passed_over - taken),
        roots=tuple(written_name(str(each)) for each in given),
    )


def written_name(name: str) -> str:
    """`name` as the results write it: never a formula in a spreadsheet, always valid UTF-8."""
    valid = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"./{valid}" if valid.startswith(("=", "+", "-", "@", "\t", "\r")) else valid


def read_files_from(source: str) -> list[Path]:
    """The paths in the file `source`, or on standard input for `-`: one a line, or NUL between (`find -print0`).

    Raises UsageError where the file cannot be read.
    """
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {source}: {error.strerror}: give a file with one path a line") from error
    lines = content.split(b"\0") if b"\0" in content else (line.removesuffix(b"\r") for line in content.split(b"\n"))
    return [Path(os.fsdecode(line)) for line in lines if line]


def load_pages(scan: Scan, *, max_megapixels: float = MAX_MEGAPIXELS) -> Iterator[Page]:
    """The pages of `scan`, decoded one at a time: 8-bit grey, upright by EXIF, transparent parts as white paper.

    Raises ScanError, with one of the reasons `not-found`, `no-permission`, `not-a-file`, `unreadable`,
    `empty-file`, `not-a-picture`, `damaged`, `too-large` (more than `max_megapixels`, told from the header before
    anything is decoded) and `no-memory`.
    """
    data = _read(scan, max_megapixels)
    header = _header(scan, data)
    megapixels = header.width * header.height / 1e6
    if megapixels > max_megapixels:
        size = f"{header.width} x {header.height} pixels ({megapixels:.0f} megapixels)"
        raise _too_large(scan, f"has {size}", max_megapixels)
    if not _has_end(data):
        raise _damaged(scan, "its end is missing")
    pixels = _on_white(scan, header) if header.has_transparency_data else _decode(scan, data)
    yield Page(scan=scan, number=1, pixels=pixels, sha256=hashlib.sha256(data).hexdigest())


# Finding


def _look_up(given: str) -> _Given:
    """A file or folder of that very name, else what the pattern matches."""
    if not given:
        raise UsageError("an empty name was given for the scans: give a folder, a file or a glob")
    path = _absolute(Path(given))
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if glob.has_magic(given):
            return _expand(given)
        raise UsageError(f"{written_name(given)}: {error.strerror}: give a folder, a file or a glob") from error
    if stat.S_ISDIR(mode):
        try:
            _listed(path)
        except OSError as error:
            raise UsageError(f"{written_name(given)}: {error.strerror}: it must be a folder you may list") from error
        return _Given(base=path, folders={path})
    if not stat.S_ISREG(mode):
        raise UsageError(f"{written_name(given)}: neither a folder nor a regular file: give one of these")
    return _Given(base=path.parent, files={path})


def _expand(pattern: str) -> _Given:
    """What `pattern` matches, maybe nothing tonight. Names are told below its last folder without a wildcard.

    A pattern that ends with a suffix of its own (`*.scan`) takes what it matches; any other (`*`) only pictures.
    """
    parts = Path(pattern).parts
    wild = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = _absolute(Path(*parts[:wild]))
    try:
        _listed(base)
    except OSError as error:
        folder = written_name(str(Path(*parts[:wild])))
        raise UsageError(f"{written_name(pattern)}: {folder}: {error.strerror}: mend the pattern") from error
    try:
        # pathlib's follows no links into folders, so it ends; but it shows what is hidden, unlike a shell.
        matches = list(base.glob(str(Path(*parts[wild:]))))
    except ValueError as error:
        raise UsageError(f"{written_name(pattern)}: {error}: mend the pattern") from error
    if not any(part.startswith(".") for part in parts[wild:]):
        matches = [match for match in matches if not _hidden(match.relative_to(base))]
    suffix = Path(pattern).suffix
    any_name = bool(suffix) and not glob.has_magic(suffix)
    folders = {match for match in matches if match.is_dir()}
    files = {match for match in matches if match.is_file() and (any_name or _is_called_picture(match))}
    return _Given(base, files, folders, set(matches) - folders - files)


def _absolute(path: Path) -> Path:
    # `..` after a link is not what it looks like: only then ask the disk, for links are else kept as they are named.
    return path.resolve() if ".." in path.parts else path.absolute()


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_called_picture(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in SUFFIXES


def _files_below(root: Path, *, recursive: bool) -> Iterator[tuple[Path, bool]]:
    """All that is no folder in `root`, each with whether it is to be read. Hidden folders are not looked into.

    Links to folders wait until all real folders are read, so that a link inside never takes a file's own name.
    """
    seen: set[tuple[int, int]] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            place = folder.stat()
            entries = [(Path(entry), *_kind(entry)) for entry in _listed(folder)]
        except OSError:
            yield folder, True  # not unseen: reading it says why
            continue
        if (place.st_dev, place.st_ino) in seen:
            continue
        seen.add((place.st_dev, place.st_ino))
        for path, is_folder, is_file in entries:
            if not is_folder:
                yield path, is_file and _is_called_picture(path)
            elif recursive and not path.name.startswith("."):
                (links if path.is_symlink() else folders).append(path)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry[str]) -> tuple[bool, bool]:
    """Whether it is a folder, and whether a regular file. What may not be looked at counts as one: reading says why."""
    try:
        return entry.is_dir(), entry.is_file()
    except OSError as error:
        return False, error.errno != errno.ELOOP


# Decoding


def _read(scan: Scan, max_megapixels: float) -> bytes:
    """The scan's bytes, where there are not more than its pixels could need."""
    try:
        kind = scan.path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise PermissionError  # as a scan comes only a folder that cannot be listed
        if not stat.S_ISREG(kind.st_mode):
            raise ScanError("not-a-file", f"{scan.name}: not a regular file: give a picture file")
        if kind.st_size > max_megapixels * 1e6 * _MOST_BYTES_A_PIXEL + _BYTES_BESIDE_PIXELS:
            raise _too_large(scan, f"is a file of {kind.st_size / 1e6:.0f} MB", max_megapixels)
        data = scan.path.read_bytes()
    except FileNotFoundError as error:
        raise ScanError("not-found", f"{scan.name}: no such file any more: run again if it comes back") from error
    except PermissionError as error:
        mend = "let the user who runs batchocr read it"
        raise ScanError("no-permission", f"{scan.name}: no permission to read it: {mend}") from error
    except OSError as error:
        raise ScanError("unreadable", f"{scan.name}: {error.strerror}: see whether the disk is well") from error
    if not data:
        raise ScanError("empty-file", f"{scan.name}: the file is empty: scan or copy it again")
    return data


def _header(scan: Scan, data: bytes) -> ImageFile:
    """What the file says of itself; nothing is decoded.

    Pillow's classes are called by themselves, since `Image.open` has a limit of its own for the pixels.
    """
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    if not data.startswith((_PNG, _JPEG)):
        raise ScanError("not-a-picture", f"{scan.name}: not a PNG or JPEG picture: save it as one of these")
    opener: type[ImageFile] = PngImageFile if data.startswith(_PNG) else JpegImageFile
    try:
        return opener(io.BytesIO(data))
    except (SyntaxError, OSError, ValueError, OverflowError) as error:
        raise _damaged(scan, f"its header cannot be read ({error})") from error


def _has_end(data: bytes) -> bool:
    """Whether the file's end is there. Not every OpenCV refuses half a picture: some paint the rest grey.

    A JPEG's end must come after its last start of a scan, for a thumbnail inside has an end of its own.
    """
    if data.startswith(_PNG):
        return data.rfind(b"IEND") > 0
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def _decode(scan: Scan, data: bytes) -> Pixels:
    """Grey at the depth of the file, turned by OpenCV as EXIF says, then 8 bits."""
    import cv2

    try:
        # Any depth without any colour is grey as it is stored. To IMREAD_UNCHANGED, OpenCV would not turn it.
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYDEPTH)
    except (cv2.error, MemoryError) as error:
        if isinstance(error, MemoryError) or error.code == cv2.Error.StsNoMem:
            raise _no_memory(scan) from error
        raise _damaged(scan, f"OpenCV refuses it ({error.err})") from error
    if pixels is None:
        raise _damaged(scan, "its picture cannot be decoded")
    return pixels if pixels.dtype == np.uint8 else _eight_bits(pixels)


def _eight_bits(pixels: NDArray[Any]) -> Pixels:
    """16 bits to 8. Some scanners write 10, 12 or 14 bits into 16, which would be near black if taken as 16."""
    peak = int(pixels.max())
    bits = next(bits for bits in (8, 10, 12, 14, 16) if peak < 1 << bits)
    table = np.rint(np.arange(1 << 16) * (255 / ((1 << bits) - 1))).clip(0, 255).astype(np.uint8)
    eight: Pixels = table[pixels]
    return eight


def _on_white(scan: Scan, image: ImageFile) -> Pixels:
    """The picture laid on white paper. By Pillow: OpenCV drops transparency, or its turning, or both."""
    from PIL import Image, ImageOps

    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "I;16":  # one level is transparent; Pillow would clip the others
            levels = np.asarray(upright)
            return np.where(levels == image.info["transparency"], np.uint8(255), _eight_bits(levels))
        upright = upright.convert("RGBA")
        paper = Image.new("L", upright.size, 255)
        paper.paste(upright.convert("L"), mask=upright.getchannel("A"))
    except MemoryError as error:
        raise _no_memory(scan) from error
    except (SyntaxError, OSError, ValueError) as error:
        raise _damaged(scan, f"its picture cannot be decoded ({error})") from error
    return np.array(paper, dtype=np.uint8)


def _damaged(scan: Scan, how: str) -> ScanError:
    return ScanError("damaged", f"{scan.name}: {how}: scan or copy it again")


def _too_large(scan: Scan, how: str, max_megapixels: float) -> ScanError:
    mend = f"raise --max-megapixels (now {max_megapixels:g}) if that is right"
    return ScanError("too-large", f"{scan.name}: {how}: {mend}")


def _no_memory(scan: Scan) -> ScanError:
    return ScanError("no-memory", f"{scan.name}: needs more memory than there is: give fewer --jobs")
