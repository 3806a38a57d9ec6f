"""All readings of the slots of a field, counted without the search that is tested."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from batchocr.forms.reading.slots import Slot


def texts_of(slots: Sequence[Slot]) -> dict[str, float]:
    """Return the probability of each text."""
    found: dict[str, float] = {}
    for chosen in product(*(zip(slot.texts, slot.probabilities, strict=True) for slot in slots)):
        text = "".join(own for own, _ in chosen)
        found[text] = found.get(text, 0.0) + prod(share for _, share in chosen)
    return found
