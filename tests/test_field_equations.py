"""Sums across fields choose between readings as Bayes' theorem says, against all readings there are."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from drawn_fields import (
    PAGE_PX_PER_MM,
    box,
    cells_field,
    evidence_of,
    free_field,
    ink_of,
    stroke,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from slot_texts import texts_of

from batchocr.forms.form import Equation, Field, Rect
from batchocr.forms.reading.cells import read_cells
from batchocr.forms.reading.choice import choose
from batchocr.forms.reading.equations import Chosen, choose_together
from batchocr.forms.reading.free import read_free
from batchocr.forms.reading.parameters import PARAMETERS, RuleParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot
from batchocr.forms.rules.equations import expand_equation, parse_equation

ERROR = 0.02
ALL = RuleParameters(
    max_candidates=10**6,
    min_probability_ratio=0.0,
    max_field_candidates=10**6,
    min_field_probability=0.0,
    max_combinations=10**6,
    min_relevant_share=0.0,
    writer_error_share=ERROR,
)
CELL = st.dictionaries(st.sampled_from([*"0123", "", UNREADABLE]), st.floats(0.02, 1), min_size=1, max_size=3)
CELLS = st.lists(CELL.map(lambda weights: Slot.of(weights, 0.0)), min_size=1, max_size=2)
Page = dict[str, list[Slot]]


def page(**fields: str | list[str | dict[str, float]]) -> Page:
    """Return fields by name: a text that is nearly sure, or the weights of each cell."""
    return {
        name: [
            Slot.of(
                {cell: 0.997, UNREADABLE: 0.002, "1" if cell != "1" else "7": 0.001} if isinstance(cell, str) else cell,
                0,
            )
            for cell in cells
        ]
        for name, cells in fields.items()
    }


def equations(texts: list[str], names: list[str]) -> list[Equation]:
    return [each for text in texts for each in expand_equation(parse_equation(text), names)]


def choice(slots: Page, sums: list[str], parameters: RuleParameters = ALL) -> dict[str, Chosen]:
    fields = {name: Field(name, "cells", Rect(0, 0, 40, 8)) for name in slots}
    choices = {name: choose(fields[name], own, parameters) for name, own in slots.items()}
    return choose_together(fields, choices, equations(sums, list(slots)), parameters)


def gain(total: str) -> float:
    """Return by what a sum that holds makes its total more probable: ten times for each digit but leading zeros."""
    return (1 - ERROR) * 10 ** max(1, len(total.lstrip("0"))) + ERROR


def best_of(weights: dict[tuple[str, ...], float]) -> tuple[tuple[str, ...], list[float], bool]:
    """Return the best combination, the probability of each of its texts, and whether it is clearly the best."""
    ordered = sorted(weights, key=lambda texts: -weights[texts])
    best, total = ordered[0], sum(weights.values())
    is_clear = len(ordered) == 1 or weights[ordered[1]] < weights[best] * (1 - 1e-9)
    shares = [sum(w for texts, w in weights.items() if texts[i] == best[i]) / total for i in range(len(best))]
    return best, shares, is_clear


@settings(deadline=None)
@given(CELLS, CELLS, CELLS)
def test_a_sum_against_all_readings(one: list[Slot], other: list[Slot], total: list[Slot]) -> None:
    weights: dict[tuple[str, ...], float] = {}
    for a, b, t in product(texts_of(one), texts_of(other), texts_of(total)):
        own = texts_of(one)[a] * texts_of(other)[b] * texts_of(total)[t]
        is_same = UNREADABLE not in a + b + t and t and int(t) == int(a or 0) - int(b or 0)
        factor = 1.0 if not t else gain(t) if is_same else ERROR
        weights[a, b, t] = own * factor
    best, shares, is_clear = best_of(weights)
    found = choice({"a": one, "b": other, "t": total}, ["t = a - b"])
    assert [found[name].probability for name in "abt"] == pytest.approx(shares, rel=1e-6) or not is_clear
    if is_clear:
        assert tuple(found[name].text for name in "abt") == best


@settings(deadline=None, max_examples=40)
@given(*[CELLS] * 4)
def test_two_sums_with_a_common_field_against_all_readings(
    a: list[Slot], b: list[Slot], s: list[Slot], t: list[Slot]
) -> None:
    slots = {"a": a, "b": b, "s": s, "t": t}
    weights: dict[tuple[str, ...], float] = {}
    for texts in product(*map(texts_of, slots.values())):
        one, other, half, total = texts
        own = prod(texts_of(slot)[text] for slot, text in zip(slots.values(), texts, strict=True))
        known = UNREADABLE not in one + other + half
        first = known and int(half or 0) == int(one or 0) + int(other or 0)
        second = UNREADABLE not in half + one + total and int(total or 0) == int(half or 0) + int(one or 0)
        for written_total, is_right in ((half, first), (total, second)):
            own *= 1.0 if not written_total else gain(written_total) if is_right else ERROR
        weights[texts] = own
    best, shares, is_clear = best_of(weights)
    found = choice(slots, ["s = a + b", "t = s + a"])
    if not is_clear:
        return
    assert tuple(found[name].text for name in slots) == best
    assert [found[name].probability for name in slots] == pytest.approx(shares, rel=1e-6)
    values = [int(text or 0) if UNREADABLE not in text else None for text in best]
    holds = {
        "s = a + b": None not in values[:3] and best[2] != "" and values[2] == (values[0] or 0) + (values[1] or 0),
        "t = s + a": None not in (values[0], values[2], values[3])
        and best[3] != ""
        and values[3] == (values[2] or 0) + (values[0] or 0),
    }
    for chosen in found.values():
        assert all(holds[text] for text in chosen.corrected_by)
        assert not any(holds.get(text) for text in chosen.broken)


def test_a_sum_corrects_a_doubtful_digit() -> None:
    found = choice(page(a="12", b=["3", {"0": 0.5, "6": 0.45}], t="48"), ["t = a + b"])
    assert (found["b"].text, found["b"].corrected_by, found["b"].broken) == ("36", ("t = a + b",), ())
    assert found["b"].free_text == "30"
    assert all(not found[name].corrected_by for name in "at")


def test_a_sum_that_is_wrong_on_paper_stays() -> None:
    found = choice(page(a="12", b="36", t="49"), ["t = a + b"])
    assert {name: (each.text, each.broken, each.corrected_by) for name, each in found.items()} == {
        "a": ("12", ("t = a + b",), ()),
        "b": ("36", ("t = a + b",), ()),
        "t": ("49", ("t = a + b",), ()),
    }


def test_only_a_sum_that_holds_is_named_as_the_reason() -> None:
    """The second sum has no total, so that it says nothing."""
    slots = page(a="12", b=["3", {"0": 0.5, "6": 0.45}], t="48", c="11", left="")
    found = choice(slots, ["t = a + b", "left = b - c"])
    assert (found["b"].text, found["b"].corrected_by) == ("36", ("t = a + b",))


def test_a_sum_with_an_unreadable_field_is_neither_broken_nor_a_reason() -> None:
    found = choice(page(a=[{UNREADABLE: 1.0}], b="36", t="49"), ["t = a + b"])
    assert {name: (each.text, each.broken, each.corrected_by) for name, each in found.items()} == {
        "a": (UNREADABLE, (), ()),
        "b": ("36", (), ()),
        "t": ("49", (), ()),
    }


def test_sums_of_ten_terms() -> None:
    """One of ten terms is doubtful, and the total tells which it is; the limits of a run are kept."""
    names = [f"n{i}" for i in range(10)]
    fields = {name: f"{137 + 89 * i}" for i, name in enumerate(names)}
    total = sum(map(int, fields.values()))
    slots = page(**fields, t=str(total))
    doubtful = {str(digit): 0.2 if digit == 6 else 0.1 for digit in range(10)}
    slots["n4"] = page(n4=["4", doubtful, "3"])["n4"]
    assert fields["n4"] == "493"
    found = choice(slots, [f"t = {' + '.join(names)}"], RuleParameters())
    assert (found["n4"].text, found["n4"].free_text) == ("493", "463")
    assert {name: found[name].text for name in names} == fields
    assert found["t"].text == str(total)


def test_fields_without_a_sum_are_chosen_alone() -> None:
    found = choice(page(a="12", b=[{"3": 0.6, "8": 0.4}]), [])
    assert found["b"].text == "3"
    assert found["b"].probability == pytest.approx(0.6)


def written(*texts: str, is_digit: float = 0.97) -> dict[str, Chosen]:
    """Read `a + b = t` from cells in which these texts are plainly written, at the right end of three cells."""
    fields, choices = {}, {}
    for name, text in zip("abt", texts, strict=True):
        field = cells_field(3)
        at = [8 * (3 - len(text) + i) for i in range(len(text))]
        evidence = evidence_of(
            *((digit, box(x + 2), is_digit) for x, digit in zip(at, text, strict=True)), share=0.9999
        )
        ink = ink_of(field, *(stroke(x + 4) for x in at))
        fields[name] = field
        found = read_cells(field, evidence, {}, ink, PAGE_PX_PER_MM, PARAMETERS)
        choices[name] = choose(field, found.slots, PARAMETERS.rules)
    return choose_together(fields, choices, equations(["t = a + b"], list("abt")), PARAMETERS.rules)


@pytest.mark.parametrize("terms", [("5", "100"), ("7", "200"), ("100", "30")])
def test_a_sum_does_not_drop_a_digit_whose_ink_is_there(terms: tuple[str, str]) -> None:
    total = max(terms, key=int)
    found = written(*terms, total)
    assert tuple(found[name].text for name in "abt") == (*terms, total)
    assert all(each.broken == ("t = a + b",) and not each.corrected_by for each in found.values())


@pytest.mark.parametrize("terms", [("5", "100"), ("17", "200")])
def test_a_sum_does_not_drop_digits_of_a_field_without_cells(terms: tuple[str, str]) -> None:
    field, fields, choices = free_field(), {}, {}
    for name, text in zip("abt", (*terms, terms[1]), strict=True):
        at = [6.0 * i + 2 for i in range(len(text))]
        evidence = evidence_of(*((digit, box(x), 0.99) for x, digit in zip(at, text, strict=True)), share=0.9999)
        found = read_free(field, evidence, ink_of(field, *(stroke(x + 2) for x in at)), PAGE_PX_PER_MM, PARAMETERS)
        fields[name], choices[name] = field, choose(field, found.slots, PARAMETERS.rules)
    chosen = choose_together(fields, choices, equations(["t = a + b"], list("abt")), PARAMETERS.rules)
    assert tuple(chosen[name].text for name in "abt") == (*terms, terms[1])
    assert all(each.broken == ("t = a + b",) and not each.corrected_by for each in chosen.values())
