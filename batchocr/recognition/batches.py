"""The crops of many pages through the classifier in full batches, and back to their pages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.cuts import cuts_to_weigh
from batchocr.records import SeenPage

WAITING = 256
"""Pages that wait for a batch to fill, at most: what is known of them is not lost for long, nor is memory filled."""


def classified(
    pages: Iterable[SeenPage], classifier: Classifier, *, every: bool = False
) -> Iterator[tuple[SeenPage, Floats]]:
    """Each page, in the order given, with the probabilities (n, 11) of its crops.

    What a piece may be cut into is classified only where no whole piece is a digit there, for reading asks for no
    more; else it counts as no digit. With `every`, all is classified.

    A page waits until batches are full, or until WAITING others do.
    """
    waiting: deque[_Page] = deque()
    asked: deque[tuple[_Page, NDArray[np.intp]]] = deque()
    held = 0  # crops asked for

    def ask(page: _Page, which: NDArray[np.intp]) -> None:
        nonlocal held
        if len(which):
            asked.append((page, which))
            held += len(which)

    def answer(count: int) -> None:
        """Classify as many crops; pages of which all wholes are known ask for cuts in their turn."""
        nonlocal held
        held -= count
        taken: list[tuple[_Page, NDArray[np.intp]]] = []
        while count:
            page, which = asked.popleft()
            if len(which) > count:
                asked.appendleft((page, which[count:]))
            taken.append((page, which[:count]))
            count -= len(taken[-1][1])
        known = classifier.classify(np.concatenate([page.crops[which] for page, which in taken]))
        for page, which in taken:
            page.take(which, known[: len(which)])
            known = known[len(which) :]
            if page.left == 0:
                ask(page, page.more())

    for page in pages:
        waiting.append(_Page(page, every))
        ask(waiting[-1], waiting[-1].more())
        while held >= (full := classifier.batch_size * classifier.together):
            answer(held // full * full)
        while held and len(waiting) >= WAITING:
            answer(held)
        while waiting and waiting[0].done:
            yield waiting.popleft().result
    while held:
        answer(held)
    for each in waiting:
        yield each.result


class _Page:
    """A page whose crops are on their way through the classifier."""

    def __init__(self, seen: SeenPage, every: bool) -> None:
        self._seen = seen
        self.crops = seen.layout.crops if seen.layout else np.empty((0, 28, 28), np.uint8)
        self._probabilities: Floats = np.zeros((len(self.crops), NONE + 1))
        self._probabilities[:, NONE] = 1
        cut = [candidate.cut for candidate in seen.layout.candidates] if seen.layout and not every else []
        self._cuts = bool(any(cut))
        self._first = np.setdiff1d(np.arange(len(self.crops)), np.flatnonzero(cut))
        self._asked = False
        self.left = 0
        """Crops that were asked for and are not known yet."""

    @property
    def done(self) -> bool:
        return self.left == 0

    @property
    def result(self) -> tuple[SeenPage, Floats]:
        return self._seen, self._probabilities

    def more(self) -> NDArray[np.intp]:
        """What is to be classified next: the whole pieces, then the cuts of those that are no digit."""
        which = np.empty(0, np.intp)
        if not self._asked:
            self._asked, which = True, self._first
        elif self._cuts and self._seen.layout:
            self._cuts, which = False, np.array(cuts_to_weigh(self._probabilities, self._seen.layout), np.intp)
        self.left += len(which)
        return which

    def take(self, which: NDArray[np.intp], known: Floats) -> None:
        self._probabilities[which] = known
        self.left -= len(which)
