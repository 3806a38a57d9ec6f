"""The rules of a field choose between its readings as Bayes' theorem says, against all readings there are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slot_texts import texts_of

from batchocr.forms.form import CheckDigit, Field, FieldKind, FieldRules, Rect
from batchocr.forms.reading.choice import choose
from batchocr.forms.reading.parameters import RuleParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot

ERROR = 0.02
ALL = RuleParameters(max_candidates=10**6, min_probability_ratio=0.0, writer_error_share=ERROR, sampled_values=4000)
CELL = st.dictionaries(st.sampled_from([*"0123456789", "", UNREADABLE]), st.floats(0.01, 1), min_size=1, max_size=4)
CELLS = st.lists(CELL.map(lambda weights: Slot.of(weights, 0.0)), min_size=1, max_size=4)


def field(kind: FieldKind, signs: str = "", **rules: object) -> Field:
    return Field("f", kind, Rect(0, 0, 40, 8), signs=signs, rules=FieldRules(**rules))  # type: ignore[arg-type]


def cells(*weights: dict[str, float]) -> list[Slot]:
    return [Slot.of(each, 0.0) for each in weights]


def is_luhn(text: str) -> bool:
    """Return whether a number satisfies the Luhn formula, by its definition in a table of doubled digits."""
    doubled = "0246813579"
    at = enumerate(reversed(text))
    return len(text) > 1 and sum(int(doubled[int(digit)] if i % 2 else digit) for i, digit in at) % 10 == 0


@settings(deadline=None)
@given(CELLS)
def test_a_check_digit_against_all_readings(slots: list[Slot]) -> None:
    weights = {}
    for text, probability in texts_of(slots).items():
        if not text:
            factor = 1.0
        elif UNREADABLE in text or not is_luhn(text):
            factor = ERROR
        else:
            factor = (1 - ERROR) / 0.1 + ERROR  # a tenth of all numbers satisfies it
        weights[text] = probability * factor
    found = choose(field("cells", checks=(CheckDigit("luhn"),)), slots, ALL)
    expected = {text: weight / sum(weights.values()) for text, weight in weights.items()}
    assert {each.text: each.probability for each in found.candidates} == pytest.approx(expected, rel=0.2)
    for each in found.candidates:
        is_wrong = bool(each.text) and UNREADABLE not in each.text and not is_luhn(each.text)
        assert each.broken == ("check-digit" if is_wrong else "")


@given(CELLS, st.sets(st.text("0123456789", min_size=1, max_size=4), min_size=1, max_size=30))
def test_a_list_against_all_readings(slots: list[Slot], allowed: set[str]) -> None:
    weights = {}
    for text, probability in texts_of(slots).items():
        share = max(1e-4, sum(len(each) == len(text) for each in allowed) / 10 ** len(text))
        factor = 1.0 if not text else (1 - ERROR) / share + ERROR if text in allowed else ERROR
        weights[text] = probability * factor
    found = choose(field("cells", allowed=frozenset(allowed)), slots, ALL)
    expected = {text: weight / sum(weights.values()) for text, weight in weights.items()}
    assert {each.text: each.probability for each in found.candidates} == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(CELLS, st.integers(0, 999))
def test_a_rule_never_favours_what_breaks_it(slots: list[Slot], limit: int) -> None:
    found = choose(field("cells", max_value=float(limit)), slots, ALL)
    free = texts_of(slots)
    gains = [(each.probability / free[each.text], bool(each.broken)) for each in found.candidates if each.text]
    of_valid = [gain for gain, is_broken in gains if not is_broken]
    of_broken = [gain for gain, is_broken in gains if is_broken]
    if of_valid and of_broken:
        assert max(of_broken) <= min(of_valid) * (1 + 1e-9)


def test_a_rule_that_nearly_all_values_satisfy_does_not_favour_the_others() -> None:
    slots = cells({"9": 1.0}, {"9": 1.0}, {"8": 0.6, "9": 0.4})
    best = choose(field("cells", max_value=998.0), slots, RuleParameters()).candidates[0]
    assert (best.text, best.broken) == ("998", "")


def test_a_sure_reading_that_breaks_its_rule_stays() -> None:
    slots = cells({"7": 0.9999, "1": 0.0001}, {"5": 0.9999, "6": 0.0001})
    best = choose(field("cells", allowed=frozenset({"16"})), slots, RuleParameters()).candidates[0]
    assert (best.text, best.broken) == ("75", "not-in-list")


def test_a_field_without_rules_stays_as_it_was_read() -> None:
    slots = cells({"7": 0.7, "1": 0.3}, {"5": 0.8, "": 0.2})
    found = choose(field("cells"), slots, RuleParameters())
    assert {each.text: each.probability for each in found.candidates} == pytest.approx(texts_of(slots))
    assert found.free.text == "75"
    assert found.free.probability == pytest.approx(0.56)


def test_an_empty_field_satisfies_its_rules() -> None:
    found = choose(field("cells", min_length=3), [], RuleParameters())
    assert [(each.text, each.probability, each.broken) for each in found.candidates] == [("", 1.0, "")]


def test_signs_are_no_digits_when_values_are_counted() -> None:
    """Of the dates d/m with one digit each in this year, 81 of 100 exist; 0 is no day and no month."""
    slots = cells({"3/4/17": 0.5, "3/0/17": 0.5})
    found = {each.text: each.probability for each in choose(field("date", "/"), slots, ALL).candidates}
    gain = (1 - ERROR) / 0.81 + ERROR
    assert found == pytest.approx({"3/4/17": gain / (gain + ERROR), "3/0/17": ERROR / (gain + ERROR)}, rel=0.05)


def test_the_share_of_a_list_of_decimals_counts_digits() -> None:
    """A list with 9 of the 100 numbers of two digits is no rule of four digits, because of a point and a minus."""
    allowed = frozenset(f"{i}.5" for i in range(1, 10))
    slots = cells({"3.5": 0.5, "3.6": 0.5})
    found = {
        each.text: each.probability for each in choose(field("decimal", ".", allowed=allowed), slots, ALL).candidates
    }
    gain = (1 - ERROR) / 0.09 + ERROR
    assert found == pytest.approx({"3.5": gain / (gain + ERROR), "3.6": ERROR / (gain + ERROR)})
