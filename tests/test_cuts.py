"""Which of the candidates that share ink are taken: small lattices with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.cuts import best_cuts
from batchocr.records import Box, Candidate


def chances(*rows: tuple[int, float]) -> Floats:
    """A row for each (digit, its probability); the rest is for no digit."""
    found = np.zeros((len(rows), 11))
    for i, (digit, chance) in enumerate(rows):
        found[i, digit] = chance
        found[i, NONE] = 1 - chance
    return found


def spans(*places: tuple[int, int]) -> list[Candidate]:
    """Candidates from place to place; the widest is the whole piece."""
    widest = max(stop - start for start, stop in places)
    return [
        Candidate(Box(10 * start, 0, 10 * (stop - start), 30), start=start, stop=stop, cut=stop - start < widest)
        for start, stop in places
    ]


def test_without_cuts_all_candidates_are_taken_as_they_are() -> None:
    given = chances((1, 0.9), (7, 0.4))
    places = [Candidate(Box(0, 0, 9, 30), start=i, stop=i + 1) for i in range(2)]
    which, seen = best_cuts(given, places)
    assert which == [0, 1] and np.array_equal(seen, given)


def test_two_touching_digits_are_taken_apart() -> None:
    which, seen = best_cuts(chances((3, 0.02), (1, 0.97), (7, 0.95)), spans((0, 2), (0, 1), (1, 2)))
    assert which == [1, 2]
    assert seen.argmax(axis=1).tolist() == [1, 7]
    assert np.allclose(seen.sum(axis=1), 1)


def test_one_digit_stays_whole_though_a_part_looks_like_a_digit() -> None:
    """The right half of a 4 is a 1."""
    which, seen = best_cuts(chances((4, 0.98), (6, 0.05), (1, 0.9)), spans((0, 2), (0, 1), (1, 2)))
    assert which == [0]
    assert seen[0, 4] > 0.85


def test_of_three_parts_the_best_way_is_taken() -> None:
    places = spans((0, 3), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    which, seen = best_cuts(chances((8, 0.01), (1, 0.2), (0, 0.96), (1, 0.3), (6, 0.3), (5, 0.94)), places)
    assert which == [2, 5]
    assert seen.argmax(axis=1).tolist() == [0, 5]


def test_junk_stays_whole_and_none() -> None:
    which, seen = best_cuts(chances((3, 0.01), (6, 0.03), (1, 0.04)), spans((0, 2), (0, 1), (1, 2)))
    assert which == [0]
    assert seen[0, NONE] > 0.9


@pytest.mark.parametrize("none", [0.1, 0.4])
def test_what_is_likelier_a_digit_than_none_stays_whole_and_as_sure(none: float) -> None:
    which, seen = best_cuts(chances((4, 1 - none), (1, 0.99), (1, 0.99)), spans((0, 2), (0, 1), (1, 2)))
    assert which == [0]
    assert seen[0, 4] == 1 - none


def test_the_likelier_the_other_ways_the_less_sure_are_the_digits() -> None:
    def sure(rival: float) -> float:
        lattice = spans((0, 3), (0, 1), (1, 3), (0, 2), (2, 3))
        _, seen = best_cuts(chances((4, 0.01), (1, 0.99), (1, 0.99), (6, rival), (7, rival)), lattice)
        return float(seen[:, :NONE].max())

    assert sure(0.1) > sure(0.6) > sure(0.9)


def test_pieces_beside_a_cut_one_keep_their_places() -> None:
    places = [
        Candidate(Box(0, 0, 9, 30), start=0, stop=1),
        Candidate(Box(10, 0, 20, 30), start=1, stop=3),
        Candidate(Box(10, 0, 10, 30), start=1, stop=2, cut=True),
        Candidate(Box(20, 0, 10, 30), start=2, stop=3, cut=True),
        Candidate(Box(40, 0, 9, 30), start=3, stop=4),
    ]
    which, seen = best_cuts(chances((2, 0.99), (0, 0.03), (0, 0.98), (1, 0.97), (7, 0.99)), places)
    assert which == [0, 2, 3, 4]
    assert seen.argmax(axis=1).tolist() == [2, 0, 1, 7]


def test_a_digit_is_as_sure_as_all_cuts_that_give_it_together() -> None:
    """A 6 with and without a speck at its foot is a 6; which cut is the better one does not matter."""
    places = spans((0, 13), (0, 6), (0, 7), (6, 13), (7, 13))
    which, seen = best_cuts(chances((2, 0.01), (6, 0.99), (6, 0.99), (9, 0.98), (9, 0.99)), places)
    assert len(which) == 2
    assert seen[0, 6] > 0.95 and seen[1, 9] > 0.95


def test_ink_that_is_none_in_the_midst_loses_no_other_digit() -> None:
    places = spans((0, 6), (0, 2), (2, 4), (4, 6))
    which, seen = best_cuts(chances((2, 0.001), (5, 0.99), (8, 0.01), (7, 0.99)), places)
    assert which == [1, 2, 3]
    assert seen[0, 5] > 0.9 and seen[1, NONE] > 0.9 and seen[2, 7] > 0.9


def broken(*joins: tuple[int, int]) -> list[Candidate]:
    """Three pieces side by side, and the runs of them that may be one digit."""
    pieces = [Candidate(Box(10 * i, 0, 10, 30), start=i, stop=i + 1) for i in range(3)]
    runs = [Candidate(Box(10 * a, 0, 10 * (b - a), 30), start=a, stop=b, joined=True, across=True) for a, b in joins]
    return sorted(pieces + runs, key=lambda c: c.start)


def test_two_parts_of_a_broken_digit_are_taken_as_one() -> None:
    candidates = broken((0, 2))
    which, seen = best_cuts(chances((1, 0.3), (4, 0.98), (1, 0.4), (7, 0.99)), candidates)
    assert [(candidates[i].start, candidates[i].stop) for i in which] == [(0, 2), (2, 3)]
    assert seen.argmax(axis=1).tolist() == [4, 7] and seen[0, 4] > 0.7


def test_two_digits_that_together_look_like_one_stay_two() -> None:
    candidates = broken((0, 2))
    which, seen = best_cuts(chances((1, 0.98), (4, 0.9), (1, 0.97), (7, 0.99)), candidates)
    assert [(candidates[i].start, candidates[i].stop) for i in which] == [(0, 1), (1, 2), (2, 3)]
    assert seen.argmax(axis=1).tolist() == [1, 1, 7]


def test_of_two_joins_that_share_a_piece_the_likelier_is_taken() -> None:
    candidates = broken((0, 2), (1, 3))
    which, _ = best_cuts(chances((1, 0.3), (4, 0.2), (1, 0.1), (8, 0.97), (7, 0.05)), candidates)
    assert [(candidates[i].start, candidates[i].stop) for i in which] == [(0, 1), (1, 3)]
