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

NO_SCANS = frozenset(("@eadir", "#recycle", "$recycle.bin", "__macosx"))
"""Folders, in small letters, that storage boxes and systems keep for themselves: thumbnails, and what was deleted."""
PREVIEW = ".preview."
"""In the name of a picture that `batchocr preview` drew: in a folder of scans it is none of them."""


@dataclass(frozen=True)
class Found:
    """What there is to read."""

    scans: tuple[Scan, ...]
    """Sorted by name, in code point order."""
    passed_over: tuple[str, ...]
    """Names of what was left out in the folders: no suffix of a picture, hidden, a preview of ours, no file."""
    roots: tuple[str, ...]
    """What was given, as the results may write it."""


@dataclass(frozen=True)
class _Given:
    """One argument, looked up: the folder its names are told below, and the files and folders it stands for."""

    base: Path
    files: Set[Path] = frozenset()
    folders: Set[Path] = frozenset()
    passed_over: Set[Path] = frozenset()


def find_scans(given: Sequence[str | Path], listed: Sequence[str | Path] = (), *, recursive: bool = True) -> Found:
    """The scans in `given`: folders, files and globs. The same path is read once, however often it was given.

    Names in `listed` are files and folders, no globs; one that is not there is given as a scan, so that it ends as a
    `failed` row: lists are made a while before they are read.

    Files named directly are taken whatever they are called; in folders those with a suffix in `SUFFIXES`.
    Linked folders are read too, but never a folder twice. A folder that cannot be listed is given as a scan, so
    that it ends as a `failed` row and not unseen.

    Raises UsageError for something that is not there.
    """
    looked_up = [_look_up(str(each)) for each in given] + [_look_up_listed(str(each)) for each in listed]
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
    scans = [_as_listed(path, _name_below(common, path)) for path in taken]
    return Found(
        scans=tuple(sorted(scans, key=lambda scan: (scan.name, scan.path))),
        passed_over=tuple(sorted(_name_below(common, path) for path in passed_over - taken)),
        roots=tuple(written_name(str(each)) for each in (*given, *listed)),
    )


def _as_listed(path: Path, name: str) -> Scan:
    """The scan with its size and time, so that one that is being written is told when it is read."""
    try:
        now = path.stat()
    except OSError:
        return Scan(path, name)  # reading it says why
    return Scan(path, name, size=now.st_size, modified=now.st_mtime_ns)


def _name_below(folder: Path, path: Path) -> str:
    return written_name(path.relative_to(folder).as_posix())


def written_name(name: str) -> str:
    """`name` as the results write it: never a formula in a spreadsheet, always valid UTF-8."""
    valid = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"./{valid}" if valid.startswith(("=", "+", "-", "@", "\t", "\r")) else valid


def read_files_from(source: str) -> list[Path]:
    """The paths in the file `source`, or on standard input for `-`: one a line, or NUL between (`find -print0`).

    A byte-order mark is no part of the first path; with that of UTF-16 the list is in UTF-16, as some editors on
    Windows save it. Raises UsageError where the file cannot be read, or is in UTF-16 without that mark.
    """
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {source}: {error.strerror}: give a file with one path a line") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "surrogateescape").encode("utf-8", "surrogateescape")
    elif len(content) > 3 and content.count(b"\0") * 2 >= len(content) - 1:
        raise UsageError(f"--files-from {source}: looks like UTF-16: save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.split(b"\0") if b"\0" in content else (line.removesuffix(b"\r") for line in content.split(b"\n"))
    return [Path(os.fsdecode(line)) for line in lines if line]


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


def _look_up_listed(given: str) -> _Given:
    """A folder that can be listed, else a file, whatever it is: reading it says what is wrong."""
    path = _absolute(Path(given))
    return _look_up(given) if path.is_dir() else _Given(base=path.parent, files={path})


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
        raise UsageError(f"{written_name(pattern)}: {folder}: {error.strerror}: fix the pattern") from error
    try:
        # pathlib's follows no links into folders, so it ends; but it shows what is hidden, unlike a shell.
        matches = list(base.glob(str(Path(*parts[wild:]))))
    except (ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{written_name(pattern)}: {why}: fix the pattern") from error
    if not any(part.startswith(".") for part in parts[wild:]):
        matches = [match for match in matches if not _hidden(match.relative_to(base))]
    suffix = Path(pattern).suffix
    any_name = bool(suffix) and not glob.has_magic(suffix)
    kinds = {match: _kind(match) for match in matches}
    folders = {match for match, (is_folder, _) in kinds.items() if is_folder}
    files = {match for match, (_, is_file) in kinds.items() if is_file and (any_name or _is_called_picture(match))}
    return _Given(base, files, folders, set(matches) - folders - files)


def _absolute(path: Path) -> Path:
    # `..` after a link is not what it looks like: only then ask the disk, for links are else kept as they are named.
    return path.resolve() if ".." in path.parts else path.absolute()


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_called_picture(path: Path) -> bool:
    name = path.name.lower()
    return not name.startswith(".") and path.suffix.lower() in SUFFIXES and PREVIEW not in name


def _files_below(root: Path, *, recursive: bool) -> Iterator[tuple[Path, bool]]:
    """All that is no folder in `root`, each with whether it is to be read.

    Hidden folders and NO_SCANS are not looked into.

    Links to folders wait until all real folders are read, so that a link inside never takes a file's own name.
    """
    seen: set[tuple[int, int]] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            place = folder.stat()
            entries = [(Path(entry), entry.is_symlink(), *_kind(entry)) for entry in _listed(folder)]
        except OSError:
            yield folder, True  # not unseen: reading it says why
            continue
        if (place.st_dev, place.st_ino) in seen:
            continue
        seen.add((place.st_dev, place.st_ino))
        for path, is_link, is_folder, is_file in entries:
            if not is_folder:
                yield path, is_file and _is_called_picture(path)
            elif recursive and not path.name.startswith(".") and path.name.lower() not in NO_SCANS:
                (links if is_link else folders).append(path)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry[str] | Path) -> tuple[bool, bool]:
    """Whether it is a folder, and whether a regular file. What cannot be looked at counts as one: reading says why."""
    try:
        dangling = entry.is_symlink() and not Path(entry).exists()
        return entry.is_dir(), entry.is_file() or dangling
    except OSError:
        return False, True
