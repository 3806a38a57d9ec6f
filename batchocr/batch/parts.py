"""Parts: files in a store that have the results of pages. They are the journal of a run over many machines.

A part has all pages of a work item. Its name says which item it is, and how many pages it has and failed, so that a
listing of the names is enough to plan the next run. A loose part has pages of work items that are not finished, or that
another kind of run has read.
"""

from __future__ import annotations

import io
import re
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from batchocr.errors import OutputError
from batchocr.records import PageResult, PageStatus
from batchocr.stores import Store

PARTS = "parts"
"""Folder of all parts in the journal."""
LOOSE = "loose"
"""Folder of the loose parts in that of the parts, and the start of their names."""
_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})-(\d+)-(\d+)-(\d+)\.parquet")
_RESULT = TypeAdapter(PageResult)
_COLUMNS = ("name", "place", "tag", "pages", "sha256", "page", "status", "result", "kept")


@dataclass(frozen=True, slots=True)
class PartName:
    """What the name of a part says."""

    key: bytes
    """Of its work item."""
    state: bytes
    """Of its work item."""
    pages: int
    """Number of pages."""
    failed: int
    """Of these, pages that failed."""
    again: int
    """Of these, pages that every later run reads again."""

    def path(self, folder: str) -> str:
        """Return the name of the file in the store. The first two letters divide a million files among 256 folders."""
        key = self.key.hex()
        return f"{folder}/{key[:2]}/{key}-{self.state.hex()}-{self.pages}-{self.failed}-{self.again}.parquet"


@dataclass(frozen=True)
class PageRecord:
    """A page in a part. Its rows stay packed until they are needed: a driver passes on millions of them."""

    name: str
    """Name of the scan in the results."""
    place: str
    """What identifies the scan, see `Scan.place`."""
    tag: str
    """What identified the scan's content when it was listed, see `work_items.tag_of`; empty if it is unknown."""
    pages: int
    """Number of pages of the scan."""
    sha256: str
    """SHA-256 of the scan; empty if every later run reads the page again."""
    page: int | None
    """Number of the page, from 1. None for a scan that failed as a whole."""
    status: PageStatus
    packed: bytes = field(repr=False)
    """All rows of the page, before rows are left out or marked by a threshold: compressed JSON."""
    is_kept: bool = False
    """Whether the run that wrote this took the page from an earlier run."""
    shown: PageResult | None = field(default=None, compare=False, repr=False)
    """The row of the page as it is shown while the run continues, if the engine has made it."""

    @cached_property
    def result(self) -> PageResult:
        """All rows of the page. Raises ValueError or zlib.error if they are damaged."""
        return _RESULT.validate_json(zlib.decompress(self.packed))

    @classmethod
    def of(
        cls, name: str, place: str, tag: str, pages: int, sha256: str, result: PageResult, *, is_kept: bool = False
    ) -> PageRecord:
        """Return a page with these rows; the arguments are the fields."""
        packed = zlib.compress(_RESULT.dump_json(result))
        return cls(name, place, tag, pages, sha256, result.page.page, result.page.status, packed, is_kept)


def is_failed(record: PageRecord) -> bool:
    """Return whether the page failed."""
    return record.status == "failed"


def parse_name(path: str) -> PartName | None:
    """Return what the name of a part says; None for a loose part and for any other file."""
    found = _NAME.fullmatch(path.rpartition("/")[2])
    if not found:
        return None
    key, state, *counts = found.groups()
    return PartName(bytes.fromhex(key), bytes.fromhex(state), *map(int, counts))


def is_loose(path: str) -> bool:
    """Return whether this is the path of a loose part."""
    return path.rpartition("/")[2].startswith(f"{LOOSE}-")


def write_part(store: Store, folder: str, key: bytes, state: bytes, pages: Sequence[PageRecord]) -> PartName:
    """Write all pages of a work item, and return the name of the part.

    Args:
        store: Where the journal is.
        folder: The folder of the parts.
        key: Of the work item.
        state: Of the work item.
        pages: The pages.

    Raises:
        OutputError: The part cannot be written.
    """
    failed = sum(map(is_failed, pages))
    again = sum(not page.sha256 for page in pages)
    name = PartName(key, state, len(pages), failed, again)
    store.write(name.path(folder), pack(pages))
    return name


def write_loose(store: Store, folder: str, pages: Sequence[PageRecord]) -> str:
    """Write pages of unfinished work items, and return the path of the part.

    Raises:
        OutputError: The part cannot be written.
    """
    path = f"{folder}/{LOOSE}/{LOOSE}-{uuid.uuid4().hex}.parquet"
    store.write(path, pack(pages))
    return path


def pack(pages: Sequence[PageRecord]) -> bytes:
    """Return the content of a part."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = [
        [page.name for page in pages],
        [page.place.encode("utf-8", "surrogateescape") for page in pages],
        [page.tag for page in pages],
        [page.pages for page in pages],
        [page.sha256 for page in pages],
        [page.page for page in pages],
        [page.status for page in pages],
        [page.packed for page in pages],
        [page.is_kept for page in pages],
    ]
    text, whole = pa.string(), pa.int32()
    types = (text, pa.binary(), text, whole, text, whole, text, pa.binary(), pa.bool_())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    file = io.BytesIO()
    table = pa.table(arrays, names=list(_COLUMNS))
    parquet.write_table(table, file, compression="none", use_dictionary=False, write_page_checksum=True)
    return file.getvalue()


def unpack(data: bytes, path: str) -> Iterator[PageRecord]:
    """Yield the pages of a part.

    Args:
        data: Its content.
        path: Its whole path or URL, for the message.

    Raises:
        OutputError: It is damaged.
    """
    with _damage_named(path):
        for row in _rows(data, _COLUMNS):
            place = row["place"].decode("utf-8", "surrogateescape")
            yield PageRecord(
                row["name"],
                place,
                row["tag"],
                row["pages"],
                row["sha256"],
                row["page"],
                row["status"],
                row["result"],
                row["kept"],
            )


def results_in(data: bytes, path: str) -> list[PageRecord]:
    """Return the pages of a part, whose rows are unpacked and checked. The arguments are those of `unpack`.

    Raises:
        OutputError: It is damaged.
    """
    with _damage_named(path):
        records = list(unpack(data, path))
        for record in records:
            record.result  # noqa: B018  unpacks it
        return records


def places_in(data: bytes, path: str) -> set[str]:
    """Return what identifies the scans of a part, see `Scan.place`. The arguments are those of `unpack`.

    Raises:
        OutputError: It is damaged.
    """
    with _damage_named(path):
        return {row["place"].decode("utf-8", "surrogateescape") for row in _rows(data, ("place",))}


def _rows(data: bytes, columns: Sequence[str]) -> list[dict[str, Any]]:
    from pyarrow import parquet

    table = parquet.read_table(
        io.BytesIO(data), columns=list(columns), use_threads=False, page_checksum_verification=True
    )
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@contextmanager
def _damage_named(path: str) -> Iterator[None]:
    """Turn all that a damaged part can raise into an OutputError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, zlib.error, OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        fix = "remove this file, which has pages to read again, and run the same command again"
        raise OutputError(f"{path}: a part of the journal is damaged ({type(fault).__name__}): {fix}") from fault
