"""Pages go from a journal on a disk into parts, and back: a run may continue what another kind of run has begun."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from batchocr.batch import journal as journals
from batchocr.batch.journal import FILE, Journal
from batchocr.batch.open_journal import has_corrections, is_usable
from batchocr.batch.parts import PARTS, PageRecord, is_failed, unpack, write_loose
from batchocr.errors import UsageError
from batchocr.records import Scan
from batchocr.stores import Store, is_url, open_store

_PAGES = 256  # of a loose part


def parts_folder(depend_on: Mapping[str, Any], batch_size: int | None) -> str:
    """Return the folder of the parts whose rows depend on the same models, settings and program.

    Args:
        depend_on: What `rows_depend_on` returned.
        batch_size: The batch size asked for; None for the default of each device.
    """
    text = json.dumps({**depend_on, "batch_size": batch_size}, sort_keys=True)
    return f"{PARTS}/{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def journal_to_parts(
    journal: Path, store: Store, folder: str, depend_on: dict[str, Any], batch_size: int | None
) -> None:
    """Move the pages of a journal on a disk into loose parts. Pages that are not usable are removed.

    Raises:
        OutputError: The journal cannot be read, or a part cannot be written.
        UsageError: The journal has corrections, which parts cannot hold.
    """
    if not (journal / FILE).is_file():
        return
    check_no_corrections(journal)
    with Journal(journal) as old:
        if is_usable(old, depend_on, batch_size):
            tags = old.tags()
            records = (
                PageRecord.of(name, place, _tag(tags.get(place), sha256), pages, sha256, result)
                for name, place, pages, sha256, result in old.stored()
                if sha256
            )
            while some := list(islice(records, _PAGES)):
                write_loose(store, folder, some)
    journals.remove(journal)


def check_no_corrections(journal: Path) -> None:
    """Raise UsageError if a journal on a disk has corrections: they would be lost in a journal of parts."""
    if has_corrections(journal):
        raise UsageError(
            f"{journal / FILE}: has corrections of a person, which runs with --engine ray, with --shard, or into a "
            "folder or an object store cannot keep: run without these, give another --out, or remove the corrections "
            "with `batchocr correct OUT --undo`"
        )


def _tag(known: tuple[str, str] | None, sha256: str) -> str:
    return known[0] if known and known[1] == sha256 else ""


def parts_to_journal(journal: Journal, place: Path, folder: str) -> None:
    """Move the pages of all parts into a journal on a disk.

    Args:
        journal: The journal.
        place: Its folder, which has the parts too.
        folder: The folder of parts that are usable; parts in others are removed.

    Raises:
        OutputError: A part cannot be read.
    """
    if not (place / PARTS).is_dir():
        return
    store = open_store(place)
    ranks = {
        (scan, entry.name, entry.page): _rank(entry.sha256, entry.failed)
        for scan, entries in journal.entries().items()
        for entry in entries
    }
    whole: list[PageRecord] = []

    def add(record: PageRecord) -> None:
        key, rank = (record.place, record.name, record.page), _rank(record.sha256, is_failed(record))
        if rank > ranks.get(key, -1):
            ranks[key] = rank
            journal.add(_scan(record), record.result, pages=record.pages, sha256=record.sha256)

    with journal.at_once():
        for record in _records(store, folder):
            if record.page is None:
                whole.append(record)
            else:
                add(record)
        opened = {key[:2] for key in ranks if key[2] is not None} if whole else ()
        for record in whole:  # some failed as a whole before another run read their pages
            if (record.place, record.name) not in opened:
                add(record)
    remove_parts(store, PARTS)


def _rank(sha256: str, failed: bool) -> int:
    """Return which of two results of a page is used: a result, a failure, or a failure that is always read again."""
    return 0 if not sha256 else 1 if failed else 2


def _scan(record: PageRecord) -> Scan:
    if is_url(record.place):
        return Scan(Path(record.place.rpartition("/")[2]), record.name, url=record.place, tag=record.tag)
    return Scan(Path(record.place), record.name)


def _records(store: Store, folder: str) -> Iterator[PageRecord]:
    for path in store.names(folder):
        yield from unpack(store.read(path), f"{store}/{path}")


def remove_parts(store: Store, folder: str, *, but: str | None = None) -> None:
    """Remove all parts in a folder.

    Args:
        store: Where the parts are.
        folder: The folder.
        but: A folder below it that stays.
    """
    names = (name for name in store.names(folder) if but is None or not name.startswith(f"{but}/"))
    while some := list(islice(names, 1000)):
        store.remove(some)
