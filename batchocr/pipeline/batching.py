"""Queues that gather the inputs of many pages into batches for a network."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Waiting(Protocol):
    """Something that waits for the output of a network, such as a page."""

    pending: int
    """Number of its inputs in a queue."""


Owner = TypeVar("Owner", bound=Waiting)


@dataclass(frozen=True)
class Share(Generic[Owner]):
    """Inputs of one owner that are in a batch."""

    owner: Owner
    inputs: NDArray[np.uint8]
    start: int
    """Index of the first input among those of its owner."""


class InputQueue(Generic[Owner]):
    """Inputs of many owners that wait for a network, in the order in which they came."""

    def __init__(self) -> None:
        self._shares: deque[Share[Owner]] = deque()
        self.count = 0

    def put(self, owner: Owner, inputs: NDArray[np.uint8]) -> None:
        """Add the inputs (n, ...) of an owner; none are allowed."""
        if len(inputs):
            self._shares.append(Share(owner, inputs, 0))
            self.count += len(inputs)
            owner.pending += len(inputs)

    def take(self, count: int) -> list[Share[Owner]]:
        """Remove the next `count` inputs. They do not count as pending any more."""
        self.count -= count
        taken = []
        while count:
            share = self._shares.popleft()
            if len(share.inputs) > count:
                rest = Share(share.owner, share.inputs[count:], share.start + count)
                self._shares.appendleft(rest)
                share = Share(share.owner, share.inputs[:count], share.start)
            taken.append(share)
            share.owner.pending -= len(share.inputs)
            count -= len(share.inputs)
        return taken
