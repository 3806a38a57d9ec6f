"""Marks: what is no digit, the same for a seed, in every kind, and nothing that is a 1 or a 0 after all."""

from __future__ import annotations

import pickle
import string
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from strokes import crops

from batchocr.training.draw import VISIBLE, Ink, tight
from batchocr.training.fonts import Fonts, glyph, pen_line, thin, together
from batchocr.training.marks import KINDS, Marks, any_kind
from batchocr.training.spoilt import half, struck, touching, with_remains, without_digits

HEIGHT = 40.0


@pytest.fixture(scope="module")
def marks() -> Marks:
    """With no fonts but those that matplotlib brings."""
    return Marks.load([])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def line(degrees: float, pen: int = 5, length: float = 40) -> Ink:
    """A plain stroke that leans so far from upright."""
    ink = np.zeros((60, 60), np.float32)
    reach = length / 2 * np.array([np.sin(np.deg2rad(degrees)), -np.cos(np.deg2rad(degrees))])
    ends = [tuple(int(v) for v in 30 + sign * reach) for sign in (-1, 1)]
    return tight(cv2.line(ink, ends[0], ends[1], 1.0, pen, cv2.LINE_AA))


def pieces(ink: Ink) -> int:
    return cv2.connectedComponents((ink > VISIBLE).astype(np.uint8))[0] - 1


def is_tight(ink: Ink) -> bool:
    inked: NDArray[np.bool_] = ink > VISIBLE
    return bool(inked[0].any() and inked[-1].any() and inked[:, 0].any() and inked[:, -1].any())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_tight_ink_that_is_no_stem(kind: str, marks: Marks, rng: np.random.Generator) -> None:
    for height in (17.0, 64.0):
        made = [marks.of_kind(kind, height, rng) for _ in range(12)]
        for ink in made:
            assert ink.dtype == np.float32
            assert 0 <= ink.min() <= ink.max() <= 1
            assert is_tight(ink)
            assert without_digits(ink, rings=kind != "letter").shape == ink.shape
        assert len({ink.tobytes() for ink in made}) > 9


def test_all_kinds_come_up_by_their_shares(rng: np.random.Generator) -> None:
    count = Counter(any_kind(rng) for _ in range(4000))
    whole = sum(share for share, _ in KINDS.values())
    assert count.keys() == KINDS.keys()
    assert all(abs(count[kind] / 4000 - share / whole) < 0.03 for kind, (share, _) in KINDS.items())


@pytest.mark.parametrize("kind", ["letter", "word", "symbol", "struck"])
def test_small_and_large_writing_too(kind: str, marks: Marks, rng: np.random.Generator) -> None:
    for height in (8.0, 200.0):
        assert is_tight(marks.of_kind(kind, height, rng))


def test_the_same_seed_makes_the_same_marks(marks: Marks) -> None:
    copy: Marks = pickle.loads(pickle.dumps(marks))
    one, other = (np.random.default_rng(3) for _ in range(2))
    for _ in range(60):
        assert np.array_equal(marks.mark(30, one), copy.mark(30, other))
    assert not np.array_equal(marks.mark(30, one), copy.mark(30, np.random.default_rng(4)))


def test_marks_are_about_as_high_as_the_writing(marks: Marks, rng: np.random.Generator) -> None:
    heights = {h: np.median([marks.of_kind("letter", h, rng).shape[0] for _ in range(60)]) for h in (20.0, 60.0)}
    assert all(0.7 * h < middle < 1.2 * h for h, middle in heights.items())


@pytest.mark.parametrize("degrees", [-35, -10, 0, 15, 38])
def test_an_upright_stroke_is_taken_out(degrees: float) -> None:
    assert not without_digits(line(degrees)).size
    assert not without_digits(line(degrees, pen=9)).size


@pytest.mark.parametrize("degrees", [50, 70, 90, -55])
def test_a_level_stroke_stays(degrees: float) -> None:
    assert np.array_equal(without_digits(line(degrees)), line(degrees))


def test_a_ring_is_taken_out_but_a_box_a_cross_and_the_writing_beside_it_stay() -> None:
    ink = np.zeros((60, 140), np.float32)
    cv2.ellipse(ink, (30, 30), (16, 22), 0, 0, 360, 1.0, 4)
    assert not without_digits(ink).size
    assert without_digits(ink, rings=False).shape == tight(ink).shape
    box = np.zeros_like(ink)
    cv2.rectangle(box, (90, 10), (130, 50), 1.0, 4)
    cv2.line(box, (95, 15), (125, 45), 1.0, 4)
    assert np.array_equal(without_digits(ink + box), tight(box))


def test_letters_that_look_like_digits_are_rare(marks: Marks) -> None:
    """A 0 or an O is round: nearly no letter may be taken for one."""
    rng = np.random.default_rng(9)
    made = [marks.of_kind("letter", HEIGHT, rng) for _ in range(300)]
    assert sum(not without_digits(ink).size for ink in made) < 12


def test_a_printed_digit_is_the_one_it_says(marks: Marks, rng: np.random.Generator) -> None:
    """Of the pictures of ten digits in the same fonts, that of the digit named is mostly the nearest."""

    def small(ink: Ink) -> Ink:
        return cv2.GaussianBlur(cv2.resize(ink, (16, 16), interpolation=cv2.INTER_AREA), (0, 0), 1)

    fonts = [font for family in marks.fonts.families for font in family]
    known = [[small(np.float32(1 / 255) * glyph(font, d)[0]) for font in fonts] for d in string.digits]
    right = []
    for _ in range(80):
        ink, digit = marks.printed_digit(HEIGHT, rng)
        assert 0.8 * HEIGHT < ink.shape[0] < 1.3 * HEIGHT
        assert is_tight(ink)
        far = [min(float(np.abs(small(ink) - k).mean()) for k in of_digit) for of_digit in known]
        right.append(int(np.argmin(far)) == digit)
    assert np.mean(right) > 0.9


def test_digits_that_touch_are_one_piece_wider_than_a_digit(rng: np.random.Generator) -> None:
    labels = [0, 1, 2, 3, 6, 8, 9] * 3
    pictures = crops(labels)
    for _ in range(40):
        ink = touching(pictures, np.array(labels), HEIGHT, rng)
        assert is_tight(ink)
        assert pieces(ink * 0.55) == 1  # by a faint pen
        assert ink.shape[1] > 0.6 * HEIGHT


def test_a_digit_that_touches_nothing_is_no_touching_one(rng: np.random.Generator) -> None:
    """It would be a true digit by a wrong name."""
    pictures = np.concatenate([crops([5]), np.zeros((3, 28, 28), np.uint8)])
    sizes = [touching(pictures, np.array([5, 0, 0, 0]), HEIGHT, rng).shape for _ in range(60)]
    assert (0, 0) in sizes
    assert all(size == (0, 0) or size[1] > 0.8 * HEIGHT for size in sizes)


def test_half_a_digit_is_less_than_a_digit_and_no_stem(rng: np.random.Generator) -> None:
    halves = [ink for picture in crops([2, 3, 5, 8] * 6) if (ink := half(picture, HEIGHT, rng)).size]
    assert len(halves) > 20
    for ink in halves:
        assert is_tight(ink)
        assert without_digits(ink).shape == ink.shape


def test_no_half_of_a_one(rng: np.random.Generator) -> None:
    """It would be a shorter 1: at most a dot or a block is left of it."""
    for picture in crops([1] * 40):
        ink = half(picture, HEIGHT, rng)
        assert not ink.size or ink.shape[0] < 1.7 * ink.shape[1]


def test_a_digit_is_struck_out_beyond_its_edges(rng: np.random.Generator) -> None:
    picture = crops([3])[0]
    plain = np.mean([(struck(np.zeros_like(picture), HEIGHT, rng)).size for _ in range(3)])
    assert plain == 0
    assert all(struck(picture, HEIGHT, rng).shape[1] > 0.6 * HEIGHT for _ in range(20))


def test_remains_add_little_to_a_digit(rng: np.random.Generator) -> None:
    ink = tight(crops([8])[0].astype(np.float32) / 255)
    for _ in range(40):
        more = with_remains(ink, rng)
        assert is_tight(more)
        assert ink.sum() < more.sum() < 1.5 * ink.sum()
        tall, wide = ink.shape
        whole = [
            np.array_equal(np.maximum(more[y : y + tall, x : x + wide], ink), more[y : y + tall, x : x + wide])
            for y in range(more.shape[0] - tall + 1)
            for x in range(more.shape[1] - wide + 1)
        ]
        assert any(whole)
    assert with_remains(np.empty((0, 0), np.float32), rng).size == 0


def test_a_font_without_letters_is_left_out(tmp_path: Path) -> None:
    own = Fonts.load([])
    names = [path.name for family in own.families for path in family]
    assert "DejaVuSans.ttf" in names
    assert not [name for name in names if name.startswith(("STIXSiz", "STIXNonUni", "LastResort"))]
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert Fonts.load([tmp_path]) == own
    assert sum(own.shares) == pytest.approx(1)


def test_fonts_are_found_in_folders_and_left_out_by_name(tmp_path: Path) -> None:
    sans = next(path for family in Fonts.load([]).families for path in family if path.name == "DejaVuSans.ttf")
    (tmp_path / "deep").mkdir()
    copy = tmp_path / "deep" / "Of Theirs.TTF"
    copy.write_bytes(sans.read_bytes())
    assert copy in [path for family in Fonts.load([tmp_path]).families for path in family]
    assert copy not in [path for family in Fonts.load([tmp_path], ["THEIRS"]).families for path in family]


def test_a_font_of_one_case_is_left_out(tmp_path: Path) -> None:
    """So are the letters of a seven-segment display, some of which are its figures."""
    fonts = pytest.importorskip("fontTools.ttLib")
    path = next(path for family in Fonts.load([]).families for path in family if path.name == "DejaVuSans.ttf")
    sans = fonts.TTFont(path)
    for table in sans["cmap"].tables:
        table.cmap.update({ord(c): table.cmap[ord(c.upper())] for c in string.ascii_lowercase if ord(c) in table.cmap})
    sans.save(tmp_path / "capitals.ttf")
    assert Fonts.load([tmp_path]) == Fonts.load([])


def test_a_font_says_what_it_lacks(marks: Marks) -> None:
    font = marks.fonts.families[0][0]
    assert glyph(font, "\u5b57")[0].size == 0
    assert glyph(font, "p")[1] < glyph(font, "p")[0].shape[0]  # it goes below the base line


def test_thinned_strokes_are_one_pixel_broad_and_hang_together(marks: Marks) -> None:
    for letter in "AEkmR":
        path, _ = pen_line(marks.fonts.families[0][0], letter)
        assert pieces(path.astype(np.float32)) == 1
        ink = (path > 0).astype(np.uint8)
        assert not cv2.erode(ink, np.ones((2, 2), np.uint8)).sum() > 0.05 * ink.sum()
    bar = np.full((40, 9), 255, np.uint8)
    assert thin(bar).astype(bool).any(axis=0).sum() <= 3
    assert thin(np.empty((0, 0), np.uint8)).size == 0


def test_letters_set_together_touch_or_stand_apart(marks: Marks) -> None:
    word = [glyph(marks.fonts.families[0][0], letter) for letter in "HEm"]
    assert pieces(together(word, 2).astype(np.float32)) == 1
    assert pieces(together(word, -3).astype(np.float32)) == 3
    assert together([], 1).size == 0
