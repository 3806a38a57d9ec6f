"""The crops of many pages through the classifier in full batches, and back to their pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import Classifier
from batchocr.records import Crops, SeenPage

WAITING = 256
"""Pages that wait for a batch to fill, at most: what is known of them is not lost for long, nor is memory filled."""


def classified(pages: Iterable[SeenPage], classifier: Classifier) -> Iterator[tuple[SeenPage, Floats]]:
    """Each page, in the order given, with the probabilities (n, 11) of its crops.

    A page waits until batches are full, or until WAITING others do.
    """
    waiting: deque[SeenPage] = deque()
    crops: list[Crops] = []
    held = 0  # crops that wait for a full batch
    ready: Floats = np.empty((0, 0))
    for page in pages:
        waiting.append(page)
        if page.layout is not None and _count(page):
            crops.append(page.layout.crops)
            held += _count(page)
        if held >= classifier.batch_size:
            block = np.concatenate(crops)
            full = held // classifier.batch_size * classifier.batch_size
            ready = _joined(ready, classifier.classify(block[:full]))
            crops, held = [block[full:]], held - full
        elif len(waiting) >= WAITING and held:
            ready = _joined(ready, classifier.classify(np.concatenate(crops)))
            crops, held = [], 0
        while waiting and _count(waiting[0]) <= len(ready):
            page = waiting.popleft()
            yield page, ready[: _count(page)]
            ready = ready[_count(page) :]
    if held:
        ready = _joined(ready, classifier.classify(np.concatenate(crops)))
    for page in waiting:
        yield page, ready[: _count(page)]
        ready = ready[_count(page) :]


def _joined(before: Floats, after: Floats) -> Floats:
    return np.concatenate([before, after]) if len(before) else after


def _count(page: SeenPage) -> int:
    return 0 if page.layout is None else len(page.layout.crops)
