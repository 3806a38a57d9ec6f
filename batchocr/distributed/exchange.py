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
from batchocr.batch.open_journal import is_usable
from batchocr.distributed.parts import PARTS, PageRecord, unpack, write_loose
from batchocr.records import Scan
from batchocr.stores import Store, open_store

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
    """
    if not (journal / FILE).is_file():
        return
    with Journal(journal) as old:
        if is_usable(old, depend_on, batch_size):
            records = (
                PageRecord(name, place, "", pages, sha256, result)
                for name, place, pages, sha256, result in old.stored()
                if sha256
            )
            while some := list(islice(records, _PAGES)):
                write_loose(store, folder, some)
    journals.remove(journal)


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
    with journal.at_once():
        known = {(name, scan) for name, scan, *_ in journal.stored()}
        for record in _records(store, folder):
            if (record.name, record.place) not in known:  # what the journal has is at least as new
                scan = Scan(Path(record.place), record.name)
                journal.add(scan, record.result, pages=record.pages, sha256=record.sha256)
    remove_parts(store, PARTS)


def _records(store: Store, folder: str) -> Iterator[PageRecord]:
    for path in store.names(folder):
        yield from unpack(store.read(path), path)


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
