"""Which files are scans, and how the results name them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from pathlib import Path

from batchocr.records import Scan
from batchocr.sources import local_scans, remote_scans
from batchocr.sources.local_scans import LocalFiles
from batchocr.sources.natural_order import natural_key
from batchocr.sources.remote_scans import RemoteFiles, with_info
from batchocr.sources.scan_names import name_below, written_name
from batchocr.stores.urls import is_url, shown_place, shown_url


@dataclass(frozen=True)
class Found:
    """The scans that were found, and the files that were not taken."""

    scans: tuple[Scan, ...]
    """Sorted by name in natural order; equal names by path."""
    passed_over: tuple[str, ...]
    """Names of files in the folders that are not scans: no image suffix, hidden, our own preview, no regular file."""
    roots: tuple[str, ...]
    """The arguments that were given, as the results may write them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that was listed."""

    scan: Scan
    is_scan: bool
    """Whether it is a scan. Else it is passed over, and `scan` has only its place and its name."""


def nothing_to_read(roots: Sequence[str], passed_over: int) -> str:
    """Return the message if there are no scans.

    Args:
        roots: The arguments, as the results may write them.
        passed_over: Number of files that are not scans.
    """
    where = ", ".join(roots) or "the given list"
    return f"no images or PDFs in {where} ({passed_over} other files passed over)"


def find_scans(given: Sequence[str | Path], listed: Sequence[str | Path] = (), *, recursive: bool = True) -> Found:
    """Find the scans that the arguments name. Each path is read once, even if it is given several times.

    A file that is named directly is taken whatever its suffix is. In folders, only files with a suffix in `SUFFIXES`
    are taken. Links to folders are followed, but no folder is read twice. A folder that cannot be listed is returned
    as a scan, so that it becomes a `failed` row.

    Args:
        given: Folders, files and glob patterns, or URLs of these.
        listed: Files and folders, or URLs of these, but no patterns. A name that does not exist is returned as a scan,
            so that it becomes a `failed` row, because a list is written some time before it is used. The URL of a
            folder ends with `/` here.
        recursive: Whether the folders within folders are read too.

    Raises:
        UsageError: A name in `given` does not exist, or a store refuses access or does not answer.
    """
    listing = list_scans(given, listed, recursive=recursive)
    taken: dict[str, Scan] = {}
    passed_over: dict[str, str] = {}
    for each in listing:
        if each.is_scan:
            taken.setdefault(each.scan.place, each.scan)
        else:
            passed_over[each.scan.place] = each.scan.name
    others = (name for place, name in passed_over.items() if place not in taken)
    return Found(
        scans=tuple(
            sorted(taken.values(), key=lambda scan: (natural_key(scan.name), scan.name, os.fsencode(scan.place)))
        ),
        passed_over=tuple(sorted(others, key=lambda name: (natural_key(name), name))),
        roots=listing.roots,
    )


def list_scans(given: Sequence[str | Path], listed: Sequence[str | Path] = (), *, recursive: bool = True) -> Listing:
    """Return the files that the arguments of `find_scans` name, without having them all in memory.

    Args:
        given: As for `find_scans`.
        listed: As for `find_scans`.
        recursive: As for `find_scans`.

    Raises:
        UsageError: As `find_scans`; for what is only noticed when a folder is listed, while the listing is iterated.
    """
    return Listing(given, listed, recursive=recursive)


class Listing:
    """The files that some arguments name. Each iteration lists them again, in no order.

    A file that several arguments name comes several times. It may come as a scan and as passed over; then it is a scan.

    Attributes:
        roots: The arguments, as the results may write them.
    """

    def __init__(self, given: Sequence[str | Path], listed: Sequence[str | Path], *, recursive: bool) -> None:
        """See `list_scans`."""
        self.roots = tuple(written_name(shown_place(each)) for each in (*given, *listed))
        self._recursive = recursive
        arguments = [_resolve(each) for each in given] + [_resolve_listed(each) for each in listed]
        self._local = [each for each in arguments if isinstance(each, LocalFiles)]
        self._remote = [each for each in arguments if isinstance(each, RemoteFiles)]
        bases = {each.base for each in self._local}
        self._common = Path(os.path.commonpath(bases)) if bases else Path()
        self._start = _common_start(self._remote, is_mixed=bool(bases))

    def __iter__(self) -> Iterator[Listed]:
        for each in self._local:
            for path, is_scan in each.found(recursive=self._recursive):
                scan = Scan(path, name_below(self._common, path))
                yield Listed(_with_stat(scan) if is_scan else scan, is_scan)
        found = chain.from_iterable(each.found(recursive=self._recursive) for each in self._remote)
        for file in with_info(found):
            place = shown_url(file.url)
            path = Path(place.rpartition("/")[2].partition("?" if file.is_web else "\0")[0])
            yield Listed(Scan(path, self._name(place), size=file.size, url=file.url, tag=file.tag), file.is_scan)

    def _name(self, place: str) -> str:
        name = place.removeprefix(self._start)
        return written_name(f"./{name}" if name.startswith("/") else name)


def _resolve(given: str | Path) -> LocalFiles | RemoteFiles:
    return remote_scans.resolve(given) if is_url(given) else local_scans.resolve(str(given))


def _resolve_listed(given: str | Path) -> LocalFiles | RemoteFiles:
    return remote_scans.resolve_listed(given) if is_url(given) else local_scans.resolve_listed(str(given))


def _common_start(remote: Sequence[RemoteFiles], *, is_mixed: bool) -> str:
    """Return the beginning of all URLs that names omit.

    If all files are in one bucket or on one host, names start below the common folder. If they are in several of one
    kind of store, names start with the bucket or host. Else they are whole URLs. So no two files have the same name.

    Args:
        remote: The arguments that are URLs.
        is_mixed: Whether there are files on disks too.
    """
    schemes = {each.base[0] for each in remote}
    if is_mixed or len(schemes) != 1:
        return ""
    parts = zip(*(each.base for each in remote), strict=False)
    common = takewhile(lambda same: len(set(same)) == 1, parts)
    return "/".join((*(part for part, *_ in common), ""))


def _with_stat(scan: Scan) -> Scan:
    """Return the scan with its size and time, so that a later change of the file is noticed."""
    try:
        now = scan.path.stat()
    except OSError:
        return scan  # reading it reports the reason
    return replace(scan, size=now.st_size, modified=now.st_mtime_ns)
