"""The readings of a field in order of probability, against all readings there are."""

from __future__ import annotations

from itertools import islice, pairwise, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchocr.forms.reading.slots import UNREADABLE, Slot, candidates, listed_candidates, readings

WEIGHTS = st.dictionaries(
    st.sampled_from([*"0123", "", UNREADABLE, "1.", "12"]), st.floats(0.001, 1), min_size=1, max_size=4
)
SLOTS = st.lists(WEIGHTS.map(lambda weights: Slot.of(weights, 0.0)), max_size=5)


def text_of(slots: list[Slot], chosen: tuple[int, ...]) -> str:
    return "".join(slot.texts[i] for slot, i in zip(slots, chosen, strict=True))


def all_readings(slots: list[Slot]) -> dict[tuple[int, ...], float]:
    """Return the probability of every combination of alternatives."""
    indices = product(*(range(len(slot.texts)) for slot in slots))
    return {chosen: prod(slot.probabilities[i] for slot, i in zip(slots, chosen, strict=True)) for chosen in indices}


def all_texts(slots: list[Slot]) -> dict[str, float]:
    """Return the probability of every text."""
    found: dict[str, float] = {}
    for chosen, probability in all_readings(slots).items():
        text = text_of(slots, chosen)
        found[text] = found.get(text, 0.0) + probability
    return found


@given(SLOTS)
def test_each_reading_comes_once_in_descending_order(slots: list[Slot]) -> None:
    found = list(readings(slots))
    assert dict(found) == pytest.approx(all_readings(slots), rel=1e-9)
    assert len(found) == len(dict(found))
    assert all(one >= other * (1 - 1e-9) for (_, one), (_, other) in pairwise(found))


def test_the_best_readings_of_a_hundred_slots() -> None:
    slots = [Slot.of({"1": 1.0, "7": 0.001 * (i + 1), "": 0.0005}, 0.0) for i in range(100)]
    found = [text_of(slots, chosen) for chosen, _ in islice(readings(slots), 4)]
    assert found == ["1" * 100, "1" * 99 + "7", "1" * 98 + "71", "1" * 97 + "711"]


@given(SLOTS, st.integers(1, 50))
def test_candidates_are_texts_with_the_sum_of_their_readings(slots: list[Slot], count: int) -> None:
    every = all_texts(slots)
    found = candidates(slots, len(all_readings(slots)), 0.0)
    assert {each.text: each.probability for each in found} == pytest.approx(every, rel=1e-9)
    some = candidates(slots, count, 0.0)
    assert sum(each.probability for each in some) <= 1 + 1e-9
    best = max(all_readings(slots).values())
    assert any(each.probability >= best * (1 - 1e-9) for each in some)


def test_an_empty_cell_before_or_after_a_digit_is_the_same_text() -> None:
    either = Slot.of({"7": 0.6, "": 0.4}, 0.0)
    found = {each.text: each.probability for each in candidates([either, either], 10, 0.0)}
    assert found == pytest.approx({"7": 0.48, "77": 0.36, "": 0.16})


def test_improbable_readings_are_left_out() -> None:
    slots = [Slot.of({"1": 0.9, "7": 0.09, "4": 0.009}, 0.0)]
    assert [each.text for each in candidates(slots, 10, 0.05)] == ["1", "7"]
    assert [each.text for each in candidates(slots, 1, 0.0)] == ["1"]


@given(SLOTS, st.sets(st.text("012", max_size=4), min_size=1, max_size=8))
def test_listed_candidates_are_the_texts_of_the_list(slots: list[Slot], allowed: set[str]) -> None:
    expected = {text: probability for text, probability in all_texts(slots).items() if text in allowed}
    found = listed_candidates(slots, allowed, 10_000)
    assert {each.text: each.probability for each in found} == pytest.approx(expected, rel=1e-9)
    assert all(one.probability >= other.probability for one, other in pairwise(found))


def test_the_alternatives_of_a_slot_add_up_to_one() -> None:
    slot = Slot.of({"1": 6.0, "7": 3.0, "4": 0.5, "9": 0.5}, 0.1)
    assert slot.texts == ("1", "7")
    assert slot.probabilities == pytest.approx((2 / 3, 1 / 3))
