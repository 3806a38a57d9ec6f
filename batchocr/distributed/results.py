"""The results of a run whose journal is in a store: the pages of all parts, in the order of the results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from batchocr.distributed.parts import PageRecord, unpack
from batchocr.errors import OutputError
from batchocr.records import PageResult
from batchocr.sources.natural_order import natural_key
from batchocr.stores import Store

_READERS = 16
_AHEAD = 64  # parts that are read before they are needed


def results_of(paths: Iterable[str | None], store: Store) -> Iterator[PageResult]:
    """Yield the pages of parts in the given order; in each part by the name of the scan, then by page.

    Args:
        paths: Paths of the parts; None for one that is missing.
        store: Where the parts are.

    Raises:
        OutputError: A part is missing or damaged, or the store cannot be read.
    """
    waiting: deque[tuple[str, Future[bytes]]] = deque()
    with ThreadPoolExecutor(_READERS) as pool:
        try:
            for path in paths:
                if path is None:
                    raise OutputError(f"{store}: the part of a work item is missing: run the same command again")
                waiting.append((path, pool.submit(store.read, path)))
                if len(waiting) >= _AHEAD:
                    yield from _pages(store, *waiting.popleft())
            while waiting:
                yield from _pages(store, *waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _pages(store: Store, path: str, content: Future[bytes]) -> Iterator[PageResult]:
    try:
        records = list(unpack(content.result(), f"{store}/{path}"))
    except FileNotFoundError as fault:
        raise OutputError(f"{store}/{path}: this part is gone: run the same command again") from fault
    for record in sorted(records, key=_order):
        yield record.result


def _order(record: PageRecord) -> tuple[str, str, bytes, int]:
    return natural_key(record.name), record.name, os.fsencode(record.place), record.result.page.page or 0
