"""All that the default system is trained on and measured by: collections of digits, pages, other hands, no digits."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batchocr.errors import UsageError
from batchocr.recognition.calibration import NONE
from batchocr.training.datasets import Digits, Halves, load_as_they_are
from batchocr.training.labelled import LabelledPage, cut_pages
from batchocr.training.marks import Marks
from batchocr.training.pages import read_truth, truth_file
from batchocr.training.sheets import Drawn, cut_many
from batchocr.training.strips import cut_strips
from batchocr.training.writers import Collected, Halved, Hands, NoDigit, Printed, Touching, Writer

HELD_OUT = 5000
"""Digits of the main collection that are only measured on: the last ones, by other writers than the first."""
PART = 8
"""The last of so many parts of each other collection is only measured on: whole hands, where it runs in hands."""
AGAIN = 5.0
"""Times that each digit of another collection is drawn to once of the main one: they are few."""
TIMES = {"hands": 0.18, "printed": 0.045, "marks": 0.36, "touching": 0.045, "halves": 0.022}
"""What else is drawn, to each digit of the main collection."""
STRIPS = 0.3
"""Digits written as numbers, to each of the main collection."""
NO_DIGITS = ("marks", "touching", "halves")
HELD_TIMES, HELD_AGAIN, SELDOM, MILD = 3.0, 1.5, 0.15, 0.2
"""What is measured on is drawn so often, the few so often to once of the others, what is no digit and digits that touch
less often than to train on, by that share, and all of it as plainly as most people write: by that share of what is done
to train on."""
PAGE_ROUNDS, BLANK_ROUNDS = 10, 16
PAGE_SCALE, BLANK_SCALE = (0.7, 1.8), (0.4, 1.0)
PAGES = "pages"
KEPT = "gathered.npz"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Others:
    """What the default system is trained on besides its main collection."""

    collections: tuple[Path, ...] = ()
    """An `.npz` of digits, or a folder of pages with boxes in its `truth.json`, each."""
    blanks: tuple[Path, ...] = ()
    """Pages without writing: whatever is found there is no digit."""
    fonts: tuple[Path, ...] = ()
    """Folders of fonts, whose letters are no digits."""


@dataclass(frozen=True)
class Gathered:
    groups: dict[str, Digits]
    """To train on, by name."""
    held_out: dict[str, Digits]
    """Only to be measured on, by name."""


def split(data: Halves) -> tuple[Digits, Digits]:
    """The digits of the main collection to train on, and to be measured on only. Raises UsageError for too few."""
    whole = data.to_train_on()
    if len(whole) <= 2 * HELD_OUT:
        raise UsageError(f"{data.name}: {len(whole)} digits to train on are too few; {2 * HELD_OUT} are needed")
    return whole.part(slice(None, -HELD_OUT)), whole.part(slice(-HELD_OUT, None))


def gather(data: Halves, others: Others, drawings: float, seed: int, jobs: int) -> Gathered:
    """Draw and cut out everything. `drawings` is how often each digit of `data` is drawn, in the mean.

    Raises UsageError for data that does not fit.
    """
    main, held = split(data)
    marks = Marks.load(others.fonts)
    few, few_held = _collections(others)
    pages, pages_held = pages_of(others)
    log.info("drawing %d digits %g times, and others", len(main), drawings)
    groups = {"as it came": main, **_drawn(main, few, marks, drawings, seed, jobs)}
    held_out = _drawn(held, few_held, marks, HELD_TIMES, seed + 1, jobs, held_out=True)
    strips = cut_strips(main, round(STRIPS * drawings * len(main)), seed, jobs)
    _sort_in(strips, "strips", groups, none="none of strips")
    few_strips = round(SELDOM * STRIPS * HELD_TIMES * len(held))
    strips = cut_strips(held, few_strips, seed + 1, jobs, MILD, every_cut=False)
    _sort_in(strips, "strips", held_out, none="none of strips")
    blanks = [LabelledPage(path) for path in others.blanks]
    _sort_in(cut_pages(pages, PAGE_ROUNDS, seed, jobs, PAGE_SCALE), PAGES, groups, none="none of pages")
    _sort_in(cut_pages(blanks, BLANK_ROUNDS, seed, jobs, BLANK_SCALE), PAGES, groups, none="none of blanks")
    held_pages = cut_pages(pages_held, 1, seed, jobs, PAGE_SCALE, every_cut=False)
    _sort_in(held_pages, PAGES, held_out, none="none of pages")
    return Gathered(groups, held_out)


def _drawn(
    main: Digits,
    few: Mapping[str, Digits],
    marks: Marks,
    drawings: float,
    seed: int,
    jobs: int,
    *,
    held_out: bool = False,
) -> dict[str, Digits]:
    """Everything that is drawn on sheets, by group; what is no digit is one group."""
    wild = MILD if held_out else 1.0
    writers: dict[str, Writer] = {
        "drawn": Collected(main, wild),
        **{name: Collected(digits, wild) for name, digits in few.items()},
        "hands": Hands(),
        "printed": Printed(marks),
        "marks": NoDigit(marks),
        "touching": Touching(main),
        "halves": Halved(main),
    }
    often = drawings * len(main)
    counts = {
        "drawn": round(often),
        **{name: round((HELD_AGAIN if held_out else AGAIN) * drawings * len(digits)) for name, digits in few.items()},
        **{
            name: round(often * share * (SELDOM if held_out and name in NO_DIGITS else 1))
            for name, share in TIMES.items()
        },
    }
    found: Drawn = cut_many(writers, counts, seed, jobs, wild)
    groups: dict[str, Digits] = {}
    # what reading hardly ever takes a network learns from, but is not measured on
    left_out = found.cuts if held_out else found.cuts & (found.labels == NONE)
    for number, name in enumerate(writers):
        mine = (found.writers == number) & ~left_out
        _sort_in(Digits(found.pictures[mine], found.labels[mine]), name, groups)
    if left_out.any() and not held_out:
        groups["none of cuts"] = Digits(found.pictures[left_out], found.labels[left_out])
    return groups


def _sort_in(digits: Digits, name: str, groups: dict[str, Digits], none: str = "none") -> None:
    """Digits to the group of their name, what is none to another."""
    for group, which in ((name, digits.labels != NONE), (none, digits.labels == NONE)):
        if which.any():
            new = digits.part(np.flatnonzero(which))
            old = groups.get(group)
            groups[group] = new if old is None else joined([old, new])


def joined(parts: list[Digits]) -> Digits:
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


def _collections(others: Others) -> tuple[dict[str, Digits], dict[str, Digits]]:
    """The other collections of single digits, by name: their first parts, and the last."""
    first: dict[str, Digits] = {}
    last: dict[str, Digits] = {}
    for path in others.collections:
        if truth_file(path) is None:
            digits = load_as_they_are(path).to_train_on()
            at = len(digits) - len(digits) // PART
            first[path.stem], last[path.stem] = digits.part(slice(None, at)), digits.part(slice(at, None))
    return first, last


def pages_of(others: Others) -> tuple[list[LabelledPage], list[LabelledPage]]:
    """The pages with truth: the first parts of each folder's, by name, and the last."""
    first: list[LabelledPage] = []
    last: list[LabelledPage] = []
    for path in others.collections:
        if truth := truth_file(path):
            form, known = read_truth(truth)
            if form != "boxes":
                raise UsageError(f"{truth}: has no boxes of digits; only pages with them can be trained on")
            pages = [
                LabelledPage(truth.parent / name, tuple(tuple(d) for number in known[name] for d in number["digits"]))
                for name in sorted(known)
            ]
            at = len(pages) - len(pages) // PART
            first, last = first + pages[:at], last + pages[at:]
    return first, last


def keep(gathered: Gathered, path: Path) -> None:
    """Write all crops to `path`, for a training that is interrupted."""
    arrays = {
        f"{kind}/{name}/{what}": getattr(digits, what)
        for kind, groups in (("groups", gathered.groups), ("held_out", gathered.held_out))
        for name, digits in groups.items()
        for what in ("pictures", "labels")
    }
    fresh = path.with_suffix(".part.npz")
    np.savez(fresh, **arrays)
    fresh.replace(path)


def kept(path: Path) -> Gathered:
    """What `keep` wrote."""
    found: dict[str, dict[str, Digits]] = {"groups": {}, "held_out": {}}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            kind, name, what = key.split("/")
            if what == "pictures":
                found[kind][name] = Digits(arrays[key], arrays[f"{kind}/{name}/labels"])
    return Gathered(found["groups"], found["held_out"])
