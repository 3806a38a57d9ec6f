"""The crops of many pages through the classifier in full batches, and back to their pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import Classifier
from batchocr.records import Crops, SeenPage


def classified(pages: Iterable[SeenPage], classifier: Classifier) -> Iterator[tuple[SeenPage, Floats]]:
    """Each page, in the order given, with the probabilities (n, classes) of its crops.

    A page waits until batches are full; only the last batch of all is not.
    """
    waiting: deque[SeenPage] = deque()
    crops: list[Crops] = []
    done: list[Floats] = []
    for page in pages:
        waiting.append(page)
        if page.layout is not None:
            crops.append(page.layout.crops)
        if sum(map(len, crops)) >= classifier.batch_size:
            block = np.concatenate(crops)
            full = len(block) // classifier.batch_size * classifier.batch_size
            done, crops = [*done, classifier.classify(block[:full])], [block[full:]]
            ready = np.concatenate(done)
            while waiting and _count(waiting[0]) <= len(ready):
                page = waiting.popleft()
                yield page, ready[: _count(page)]
                ready = ready[_count(page) :]
            done = [ready]
    ready = np.concatenate(
        [*done, classifier.classify(np.concatenate(crops) if crops else np.empty((0, 28, 28), np.uint8))]
    )
    for page in waiting:
        yield page, ready[: _count(page)]
        ready = ready[_count(page) :]


def _count(page: SeenPage) -> int:
    return 0 if page.layout is None else len(page.layout.crops)
