"""Work items: a few scans that are read together, named by the hash of their names and places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from batchocr.records import Scan


@dataclass(frozen=True)
class WorkItemParameters:
    """How scans are grouped into work items."""

    mean_scans: int = 8
    """Mean number of scans of a work item. Basis: some seconds of work, so that an interruption loses little, and a
    hundredth of it for the store and the cluster."""
    max_scans: int = 16
    """Number of scans of a work item at most. Basis: twice the mean."""


PARAMETERS = WorkItemParameters()


@dataclass(frozen=True)
class WorkItem:
    """Scans that follow each other in the results."""

    scans: tuple[Scan, ...]
    key: bytes
    """Hash of the scans' names and places: 16 bytes."""
    state: bytes
    """Hash of what identifies the scans' content without reading it, and of the pages that are wanted: 8 bytes."""


def work_items(
    scans: Iterable[Scan], pages: Sequence[int] = (), parameters: WorkItemParameters = PARAMETERS
) -> Iterator[WorkItem]:
    """Group scans into work items.

    A scan whose name has a certain hash ends a work item. So a new scan changes one work item, or divides it in two,
    and all others stay as they are (content-defined chunking: Muthitacharoen et al., LBFS, 2001).

    Args:
        scans: The scans in the order of the results.
        pages: Pages that are read of each TIFF and PDF; empty for all.
        parameters: The size of a work item.
    """
    group: list[Scan] = []
    for scan in scans:
        group.append(scan)
        ends = int.from_bytes(_digest(scan.name.encode(), 4)) % parameters.mean_scans == 0
        if ends or len(group) >= parameters.max_scans:
            yield work_item(group, pages)
            group = []
    if group:
        yield work_item(group, pages)


def work_item(scans: Sequence[Scan], pages: Sequence[int] = ()) -> WorkItem:
    """Return the work item of these scans."""
    names = "\0".join(f"{scan.name}\0{scan.place}" for scan in scans)
    tags = "\0".join([*(tag_of(scan) for scan in scans), *map(str, pages)])
    return WorkItem(tuple(scans), _digest(_encoded(names), 16), _digest(_encoded(tags), 8))


def tag_of(scan: Scan) -> str:
    """Return what identifies the content of a scan without reading it; empty if there is nothing of this kind.

    For a file on a disk these are its size and the time of its last change.
    """
    if scan.url:
        return scan.tag
    return f"{scan.size}-{scan.modified}" if scan.modified is not None else ""


def shard_of(item: WorkItem, shards: int) -> int:
    """Return which shard reads a work item, from 1 to `shards`."""
    return int.from_bytes(item.key[:8]) % shards + 1


def _digest(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
