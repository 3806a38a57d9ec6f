"""Which files are scans, and how the results name them."""

from __future__ import annotations

import codecs
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.records import Scan
from batchocr.sources.formats import SUFFIXES
from batchocr.sources.natural_order import natural_key

NO_SCANS = frozenset(("@eadir", "#recycle", "$recycle.bin", "__macosx"))
"""Lower-case names of folders that storage devices and operating systems create for thumbnails and deleted files."""
PREVIEW = ".preview."
"""Part of the name of each image that `batchocr preview` writes. Such an image in a folder is not a scan."""


@dataclass(frozen=True)
class Found:
    """The scans that were found, and the files that were not taken."""

    scans: tuple[Scan, ...]
    """Sorted by name in natural order; equal names by path."""
    passed_over: tuple[str, ...]
    """Names of files in the folders that are not scans: no image suffix, hidden, our own preview, no regular file."""
    roots: tuple[str, ...]
    """The arguments that were given, as the results may write them."""


@dataclass(frozen=True)
class _Given:
    """The files and folders that one argument stands for, and the folder below which they are named."""

    base: Path
    files: Set[Path] = frozenset()
    folders: Set[Path] = frozenset()
    passed_over: Set[Path] = frozenset()


def nothing_to_read(found: Found) -> str:
    """Return the message if there are no scans."""
    roots = ", ".join(found.roots) or "the given list"
    return f"no images or PDFs in {roots} ({len(found.passed_over)} other files passed over)"


def find_scans(given: Sequence[str | Path], listed: Sequence[str | Path] = (), *, recursive: bool = True) -> Found:
    """Find the scans that the arguments name. Each path is read once, even if it is given several times.

    A file that is named directly is taken whatever its suffix is. In folders, only files with a suffix in `SUFFIXES`
    are taken. Links to folders are followed, but no folder is read twice. A folder that cannot be listed is returned
    as a scan, so that it becomes a `failed` row.

    Args:
        given: Folders, files and glob patterns.
        listed: Files and folders, but no patterns. A name that does not exist is returned as a scan, so that it becomes
            a `failed` row, because a list is written some time before it is used.
        recursive: Whether the folders within folders are read too.

    Raises:
        UsageError: A name in `given` does not exist.
    """
    arguments = [_resolve(str(each)) for each in given] + [_resolve_listed(str(each)) for each in listed]
    taken: set[Path] = set()
    passed_over: set[Path] = set()
    for each in arguments:
        taken.update(each.files)
        passed_over.update(each.passed_over)
        for folder in each.folders:
            for path, is_scan in _files_below(folder, recursive=recursive):
                (taken if is_scan else passed_over).add(path)
    bases = {each.base for each in arguments}
    common = Path(os.path.commonpath(bases)) if bases else Path()
    scans = [_with_stat(path, _name_below(common, path)) for path in taken]
    others = (_name_below(common, path) for path in passed_over - taken)
    return Found(
        scans=tuple(sorted(scans, key=lambda scan: (natural_key(scan.name), scan.name, os.fsencode(scan.path)))),
        passed_over=tuple(sorted(others, key=lambda name: (natural_key(name), name))),
        roots=tuple(written_name(str(each)) for each in (*given, *listed)),
    )


def _with_stat(path: Path, name: str) -> Scan:
    """Return the scan with its size and time, so that a later change of the file is noticed."""
    try:
        now = path.stat()
    except OSError:
        return Scan(path, name)  # reading it reports the reason
    return Scan(path, name, size=now.st_size, modified=now.st_mtime_ns)


def _name_below(folder: Path, path: Path) -> str:
    return written_name(path.relative_to(folder).as_posix())


def written_name(name: str) -> str:
    """Return `name` as the results write it: valid UTF-8, and never a formula in a spreadsheet."""
    valid = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"./{valid}" if valid.startswith(("=", "+", "-", "@", "\t", "\r")) else valid


def read_files_from(source: str) -> list[Path]:
    """Read a list of paths: one per line, or separated by NUL (`find -print0`).

    A byte-order mark is not part of the first path. A list with the mark of UTF-16 is decoded as UTF-16, because some
    editors on Windows save it so.

    Args:
        source: The file that holds the list, or `-` for standard input.

    Raises:
        UsageError: The list cannot be read, or it is UTF-16 without a byte-order mark.
    """
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {source}: {error.strerror}: give a file with one path per line") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "surrogateescape").encode("utf-8", "surrogateescape")
    elif len(content) > 3 and content.count(b"\0") * 2 >= len(content) - 1:
        raise UsageError(f"--files-from {source}: looks like UTF-16: save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.split(b"\0") if b"\0" in content else (line.removesuffix(b"\r") for line in content.split(b"\n"))
    return [Path(os.fsdecode(line)) for line in lines if line]


def _resolve(given: str) -> _Given:
    """Return the file or folder with exactly this name, or else what the pattern matches."""
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
            _entries_of(path)
        except OSError as error:
            raise UsageError(f"{written_name(given)}: {error.strerror}: give a folder that you may list") from error
        return _Given(base=path, folders={path})
    if not stat.S_ISREG(mode):
        raise UsageError(f"{written_name(given)}: neither a folder nor a regular file: give one of these")
    return _Given(base=path.parent, files={path})


def _resolve_listed(given: str) -> _Given:
    """Return a folder that can be listed. Return anything else as a file; reading it reports what is wrong."""
    path = _absolute(Path(given))
    return _resolve(given) if path.is_dir() else _Given(base=path.parent, files={path})


def _expand(pattern: str) -> _Given:
    """Return what `pattern` matches, which may be nothing. Names start below its last folder without a wildcard.

    A pattern that ends with a suffix (`*.scan`) takes all files that it matches. Another pattern (`*`) takes images.
    """
    parts = Path(pattern).parts
    wild = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = _absolute(Path(*parts[:wild]))
    try:
        _entries_of(base)
    except OSError as error:
        folder = written_name(str(Path(*parts[:wild])))
        raise UsageError(f"{written_name(pattern)}: {folder}: {error.strerror}: fix the pattern") from error
    try:
        # The glob of pathlib follows no links to folders, so it ends. But it matches hidden files, unlike a shell.
        matches = list(base.glob(str(Path(*parts[wild:]))))
    except (ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{written_name(pattern)}: {why}: fix the pattern") from error
    if not any(part.startswith(".") for part in parts[wild:]):
        matches = [match for match in matches if not _is_hidden(match.relative_to(base))]
    suffix = Path(pattern).suffix
    any_name = bool(suffix) and not glob.has_magic(suffix)
    kinds = {match: _kind(match) for match in matches}
    folders = {match for match, (is_folder, _) in kinds.items() if is_folder}
    files = {match for match, (_, is_file) in kinds.items() if is_file and (any_name or _has_image_name(match))}
    return _Given(base, files, folders, set(matches) - folders - files)


def _absolute(path: Path) -> Path:
    # A path with `..` after a link must be resolved on the disk. Any other path keeps its links as they are named.
    return path.resolve() if ".." in path.parts else path.absolute()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _has_image_name(path: Path) -> bool:
    name = path.name.lower()
    return not name.startswith(".") and path.suffix.lower() in SUFFIXES and PREVIEW not in name


def _files_below(root: Path, *, recursive: bool) -> Iterator[tuple[Path, bool]]:
    """Yield everything in `root` that is not a folder, and whether it is a scan.

    Hidden folders and NO_SCANS are not entered. Links to folders are followed after all real folders, so that a file
    keeps its own path if a link leads to it too.
    """
    visited: set[tuple[int, int]] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            place = folder.stat()
            entries = [(Path(entry), entry.is_symlink(), *_kind(entry)) for entry in _entries_of(folder)]
        except OSError:
            yield folder, True  # reading it as a scan reports the reason
            continue
        if (place.st_dev, place.st_ino) in visited:
            continue
        visited.add((place.st_dev, place.st_ino))
        for path, is_link, is_folder, is_file in entries:
            if not is_folder:
                yield path, is_file and _has_image_name(path)
            elif recursive and not path.name.startswith(".") and path.name.lower() not in NO_SCANS:
                (links if is_link else folders).append(path)


def _entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder, sorted by name. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry[str] | Path) -> tuple[bool, bool]:
    """Return whether the entry is a folder, and whether it is a regular file.

    A link to nothing and an entry that cannot be inspected count as files; reading them reports the reason.
    """
    try:
        is_dangling = entry.is_symlink() and not Path(entry).exists()
        return entry.is_dir(), entry.is_file() or is_dangling
    except OSError:
        return False, True
