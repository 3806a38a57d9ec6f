"""The items that the review page shows: digits, numbers and fields, and why each is shown."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from batchocr.records import Box
from batchocr.review.decision import Kind, Task
from batchocr.review.page.audit import draw_audit
from batchocr.review.page.tables import Place, Row, RunTables
from batchocr.review.page.words import in_words, text_without_rules

_ACCEPTED = ("ok", "empty")  # statuses of fields
_SURE = 0.99  # confidence of an item whose reading is taken as known


@dataclass(frozen=True)
class Item:
    """A digit, number or field on the page."""

    kind: Kind
    place: Place
    name: str
    """Name of the field; empty for other kinds."""
    was: str
    """The reading that is shown."""
    second: str
    """The second choice; empty if there is none."""
    confidence: float
    box: Box
    """In pixels of the page as given."""
    marks: str
    """Marks or reasons, joined by `;`."""
    words: tuple[str, ...]
    """The same in plain words."""
    status: str = ""
    """Status of a field."""
    form: str = ""
    task: Task = "review"
    expected: str = ""
    is_marked: bool = False


def choose_items(tables: RunTables, *, audit: int, audit_kind: Kind, known_share: float, seed: int) -> list[Item]:
    """Return what is to be shown: all digits, marked numbers and fields, the audit, and items with a known answer.

    A number inside a field that is shown is not shown again.

    Args:
        tables: The rows of the run.
        audit: Accepted items to draw at random.
        audit_kind: Their kind.
        known_share: Items with a known answer, as a share of the others of their kind, 0 to 1.
        seed: Of the audit and the known items.

    Returns:
        Marked items of a kind with the least sure first, then its audit in the order of drawing; known ones between.
    """
    chance = random.Random(seed)
    chosen: list[Item] = []
    for kind, found in all_items(tables).items():
        items = _outside_fields(found, chosen) if kind == "number" else found
        accepted = [item for item in items if not item.is_marked]
        drawn = draw_audit(accepted, [item.place for item in accepted], audit, seed) if kind == audit_kind else []
        audited = [replace(item, task="audit") for item in drawn]
        taken = {(item.place, item.name, item.box) for item in audited}
        rest = items if kind == "digit" else [item for item in items if item.is_marked]
        rest = [item for item in rest if (item.place, item.name, item.box) not in taken]
        shown = sorted(rest, key=lambda item: item.confidence) + audited
        known = _known([i for i in accepted if (i.place, i.name, i.box) not in taken], shown, known_share, chance)
        chosen += _mixed(shown, known, chance)
    return chosen


def all_items(tables: RunTables) -> dict[Kind, list[Item]]:
    """Return all fields, numbers and digits of a run, in the order of its tables."""
    by_number: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in tables.digits:
        by_number[row["file"], row["page"], row["line"], row["number"]].append(row)
    return {
        "field": [_field(row) for row in tables.fields],
        "number": [_number(r, by_number[r["file"], r["page"], r["line"], r["number"]]) for r in tables.numbers],
        "digit": [_digit(row) for row in tables.digits],
    }


def _outside_fields(numbers: Iterable[Item], chosen: Iterable[Item]) -> list[Item]:
    """Return the numbers whose centre is in no field that is shown."""
    fields: dict[Place, list[Box]] = defaultdict(list)
    for item in chosen:
        if item.kind == "field" and item.task != "known":
            fields[item.place].append(item.box)
    return [item for item in numbers if not any(_has_centre(box, item.box) for box in fields[item.place])]


def _has_centre(outer: Box, inner: Box) -> bool:
    x, y = inner.left + inner.width / 2, inner.top + inner.height / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def _digit(row: Row) -> Item:
    item = _item("digit", row, row["digit"], row["second"], row["review"])
    return replace(item, is_marked=bool(row["review"]))


def _number(row: Row, digits: Sequence[Row]) -> Item:
    """Return a number; its second choice has the second choice of its least sure digit."""
    second = list(row["text"])
    places = [index for index, sign in enumerate(second) if sign.isdigit()]
    if len(places) == len(digits) and digits:
        least = min(range(len(digits)), key=lambda index: float(digits[index]["confidence"]))
        second[places[least]] = digits[least]["second"]
    item = _item("number", row, row["text"], "".join(second), row["review"])
    return replace(item, is_marked=bool(row["review"]))


def _field(row: Row) -> Item:
    item = _item("field", row, row["text"], text_without_rules(row["reason"]), row["reason"])
    marked = row["status"] not in _ACCEPTED
    return replace(item, name=row["field"], form=row["form"], status=row["status"], is_marked=marked)


def _item(kind: Kind, row: Row, was: str, second: str, marks: str) -> Item:
    box = Box(*(int(row[name]) for name in ("left", "top", "width", "height")))
    place = row["file"], int(row["page"])
    return Item(
        kind, place, "", was, "" if second == was else second, float(row["confidence"]), box, marks, in_words(marks)
    )


def _known(accepted: Iterable[Item], shown: Sequence[Item], share: float, chance: random.Random) -> list[Item]:
    """Return very sure items with one wrong digit, which look like items of `shown`."""
    sure = [i for i in accepted if i.confidence >= _SURE and any(sign.isdigit() for sign in i.was)]
    count = min(len(sure), round(len(shown) * share))
    known = []
    for item in chance.sample(sure, count):
        like = chance.choice(shown)
        wrong = list(item.was)
        at = chance.choice([index for index, sign in enumerate(wrong) if sign.isdigit()])
        wrong[at] = chance.choice([digit for digit in "0123456789" if digit != wrong[at]])
        known.append(
            replace(
                item,
                was="".join(wrong),
                second="",
                confidence=like.confidence,
                marks=like.marks,
                words=like.words,
                status=like.status,
                is_marked=like.is_marked,
                task="known",
                expected=item.was,
            )
        )
    return known


def _mixed(shown: list[Item], known: list[Item], chance: random.Random) -> list[Item]:
    for item in known:
        shown.insert(chance.randrange(len(shown) + 1), item)
    return shown
