"""The results of a run whose journal is in a store: the pages of all parts, in the order of the results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from batchocr.batch.parts import PageRecord, results_in
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
    for path, content in read_ahead(store, map(_existing, paths)):
        if content is None:
            raise OutputError(f"{store}/{path}: this part is gone: run the same command again")
        for record in sorted(results_in(content, f"{store}/{path}"), key=_order):
            yield record.result


def read_ahead(store: Store, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield the content of files in the given order; several are read at the same time.

    Args:
        store: Where the files are.
        paths: Their paths.

    Yields:
        The path, and the content; None if there is no such file.

    Raises:
        OutputError: The store cannot be read.
    """
    waiting: deque[tuple[str, Future[bytes | None]]] = deque()

    def read(path: str) -> bytes | None:
        try:
            return store.read(path)
        except FileNotFoundError:
            return None

    with ThreadPoolExecutor(_READERS) as pool:
        try:
            for path in paths:
                waiting.append((path, pool.submit(read, path)))
                if len(waiting) >= _AHEAD:
                    first, content = waiting.popleft()
                    yield first, content.result()
            while waiting:
                first, content = waiting.popleft()
                yield first, content.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _existing(path: str | None) -> str:
    if path is None:
        raise OutputError("the part of a work item is missing from the journal: run the same command again")
    return path


def _order(record: PageRecord) -> tuple[str, str, bytes, int]:
    return natural_key(record.name), record.name, os.fsencode(record.place), record.page or 0
