"""Find the scans that an argument stands for on a disk: a folder, a file or a glob pattern."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.sources.scan_names import has_image_name, is_entered, written_name


@dataclass(frozen=True)
class LocalFiles:
    """The files and folders that one argument stands for, and the folder below which they are named."""

    base: Path
    files: Set[Path] = frozenset()
    folders: Set[Path] = frozenset()
    passed_over: Set[Path] = frozenset()

    def found(self, *, recursive: bool) -> Iterator[tuple[Path, bool]]:
        """Yield each file, and whether it is a scan. A file may come several times, also as both."""
        yield from ((path, True) for path in self.files)
        yield from ((path, False) for path in self.passed_over)
        for folder in self.folders:
            yield from _files_below(folder, recursive=recursive)


def resolve(given: str) -> LocalFiles:
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
            _check_is_listed(path)
        except OSError as error:
            raise UsageError(f"{written_name(given)}: {error.strerror}: give a folder that you may list") from error
        return LocalFiles(base=path, folders={path})
    if not stat.S_ISREG(mode):
        raise UsageError(f"{written_name(given)}: neither a folder nor a regular file: give one of these")
    return LocalFiles(base=path.parent, files={path})


def resolve_listed(given: str) -> LocalFiles:
    """Return a folder that can be listed. Return anything else as a file; reading it reports what is wrong."""
    path = _absolute(Path(given))
    return resolve(given) if path.is_dir() else LocalFiles(base=path.parent, files={path})


def _expand(pattern: str) -> LocalFiles:
    """Return what `pattern` matches, which may be nothing. Names start below its last folder without a wildcard.

    A pattern that ends with a suffix (`*.scan`) takes all files that it matches. Another pattern (`*`) takes images.
    """
    parts = Path(pattern).parts
    wild = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    base = _absolute(Path(*parts[:wild]))
    try:
        _check_is_listed(base)
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
    files = {match for match, (_, is_file) in kinds.items() if is_file and (any_name or has_image_name(match))}
    return LocalFiles(base, files, folders, set(matches) - folders - files)


def _absolute(path: Path) -> Path:
    # A path with `..` after a link must be resolved on the disk. Any other path keeps its links as they are named.
    return path.resolve() if ".." in path.parts else path.absolute()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _files_below(root: Path, *, recursive: bool) -> Iterator[tuple[Path, bool]]:
    """Yield everything in `root` that is not a folder, and whether it is a scan.

    Hidden folders and NO_SCANS are not entered. Links to folders are followed after all real folders, so that a file
    keeps its own path if a link leads to it too. Only the names of folders are kept in memory.
    """
    visited: set[tuple[int, int]] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        found: list[tuple[Path, bool]] = []
        try:
            place = folder.stat()
            entries = os.scandir(folder)
            if (place.st_dev, place.st_ino) in visited:
                entries.close()
                continue
            visited.add((place.st_dev, place.st_ino))
            with entries:
                for entry in entries:
                    is_folder, is_file = _kind(entry)
                    path = Path(entry)
                    if not is_folder:
                        yield path, is_file and has_image_name(path)
                    elif recursive and is_entered(path.name):
                        found.append((path, entry.is_symlink()))
        except OSError:
            yield folder, True  # reading it as a scan reports the reason
        for path, is_link in sorted(found):
            (links if is_link else folders).append(path)


def _check_is_listed(folder: Path) -> None:
    """Raise OSError if a folder cannot be listed."""
    with os.scandir(folder) as entries:
        next(entries, None)


def _kind(entry: os.DirEntry[str] | Path) -> tuple[bool, bool]:
    """Return whether the entry is a folder, and whether it is a regular file.

    A link to nothing and an entry that cannot be inspected count as files; reading them reports the reason.
    """
    try:
        is_dangling = entry.is_symlink() and not Path(entry).exists()
        return entry.is_dir(), entry.is_file() or is_dangling
    except OSError:
        return False, True
