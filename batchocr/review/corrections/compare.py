"""Two persons' decisions about the same items (double entry): what both say, and what a third one must decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchocr.review.corrections.accept import answer
from batchocr.review.corrections.lines import Given, write_csv
from batchocr.review.corrections.of_run import KEY, item
from batchocr.review.decision import Decision

COLUMNS = (
    *KEY,
    *"was first_decision first_text first_by second_decision second_text second_by".split(),
)
"""The columns of the file of differences. The first ones are those of a file of corrections."""


@dataclass(frozen=True)
class Comparison:
    """What two persons decided."""

    agreed: tuple[Given, ...]
    """The lines of the first person with the same answer as the second one's."""
    differences: tuple[tuple[Decision, Decision], ...]
    """The decisions of both about each item with different answers."""
    alone: int
    """Items that only one of them decided. They are not applied."""
    kappa: float | None
    """Cohen's kappa (A coefficient of agreement for nominal scales, 1960): agreement beyond that by chance, at most 1.
    None if nothing was decided by both, or both gave the same single answer to all."""

    @property
    def both(self) -> int:
        """Number of items that both decided."""
        return len(self.agreed) + len(self.differences)


def compare(first: Sequence[Given], second: Sequence[Given]) -> Comparison:
    """Compare two files.

    Args:
        first: The decisions of one person; of several about an item the latest counts.
        second: Those of the other.
    """
    one, other = _latest(first), _latest(second)
    common = [key for key in one if key in other]
    agreed = tuple(one[key] for key in common if answer(one[key].decision) == answer(other[key].decision))
    differences = tuple(
        (one[key].decision, other[key].decision)
        for key in common
        if answer(one[key].decision) != answer(other[key].decision)
    )
    pairs = [(answer(one[key].decision), answer(other[key].decision)) for key in common]
    return Comparison(agreed, differences, len(one) + len(other) - 2 * len(common), _kappa(pairs))


def write_differences(path: Path, differences: Sequence[tuple[Decision, Decision]]) -> None:
    """Write the differences to a CSV file, with both answers.

    Raises:
        OutputError: It cannot be written.
    """
    rows = [
        (*item(one), one.was, one.decision, one.text, one.by, other.decision, other.text, other.by)
        for one, other in differences
    ]
    write_csv(path, COLUMNS, rows)


def _latest(given: Sequence[Given]) -> dict[object, Given]:
    found: dict[object, Given] = {}
    for line in sorted(given, key=lambda each: each.decision.at):
        if line.decision.task != "known":
            found[item(line.decision)] = line
    return found


def _kappa(pairs: Sequence[tuple[tuple[str, str], tuple[str, str]]]) -> float | None:
    if not pairs:
        return None
    seen = sum(one == other for one, other in pairs) / len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(first[each] * second[each] for each in first) / len(pairs) ** 2
    return None if chance == 1 else (seen - chance) / (1 - chance)
