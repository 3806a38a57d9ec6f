"""Crops the way MNIST has them: size, place, ink and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.records import Pixels
from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.ink import Piece
from batchocr.vision.normalize import centred, normalize, normalize_all

DIGITS = list("0123456789")


def ink(digit: str, height: int = 40, pen: int = 4, grey: int = 0, slant: float = 0.0) -> tuple[Contrast, Mask]:
    """A digit's contrast and mask, with two pixels of paper around it."""
    sheet = Sheet(3 * height, 2 * height, 255)
    sheet.digit(digit, height / 2, height / 2, height, pen, grey, slant)
    contrast = 255 - sheet.pixels
    mask: Mask = cv2.compare(contrast, (255 - grey) / 2, cv2.CMP_GT)
    left, top, width, high = cv2.boundingRect(mask)
    around = slice(top - 2, top + high + 2), slice(left - 2, left + width + 2)
    return contrast[around], mask[around]


def extent(crop: Pixels, least: int = 60) -> tuple[int, int]:
    """Width and height of what is inked."""
    _, _, width, height = cv2.boundingRect(cv2.compare(crop, least, cv2.CMP_GT))
    return width, height


def centre(crop: Pixels) -> tuple[float, float]:
    """Centre of mass; the middle of the first pixel is 0.5."""
    moments = cv2.moments(crop)
    return moments["m10"] / moments["m00"] + 0.5, moments["m01"] / moments["m00"] + 0.5


def unlike(a: Pixels, b: Pixels) -> float:
    """Mean difference of two crops where they fit best, moved by a pixel at most."""
    moves = [np.roll(b, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(cv2.absdiff(a, moved).mean()) for moved in moves)


@pytest.mark.parametrize("height", [15, 40, 200])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_crop_is_28_by_28_with_full_ink_on_no_paper(digit: str, height: int) -> None:
    crop = normalize(*ink(digit, height, max(2, height // 10)))
    assert crop.shape == (28, 28)
    assert crop.dtype == np.uint8
    assert crop.max() >= 250
    border = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    assert not border.any()
    assert 0.03 < np.count_nonzero(crop > 127) / crop.size < 0.4


@pytest.mark.parametrize("grey", [0, 90, 150])
@pytest.mark.parametrize("digit", DIGITS)
def test_pale_ink_gives_the_same_crop_as_black(digit: str, grey: int) -> None:
    assert unlike(normalize(*ink(digit, 80, 8)), normalize(*ink(digit, 80, 8, grey))) < 5


@pytest.mark.parametrize("height", [15, 28, 40, 100, 300])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_longest_side_is_20(digit: str, height: int) -> None:
    assert max(extent(normalize(*ink(digit, height, max(2, height // 10))))) == pytest.approx(20, abs=1)


def test_a_wide_piece_is_20_wide() -> None:
    contrast = np.zeros((14, 64), np.uint8)
    contrast[2:12, 2:62] = 255
    assert extent(normalize(contrast, contrast)) == (20, 3)


@pytest.mark.parametrize("height", [15, 40, 200])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_centre_of_mass_is_in_the_middle(digit: str, height: int) -> None:
    assert centre(normalize(*ink(digit, height, max(2, height // 10)))) == pytest.approx((14, 14), abs=1)


@pytest.mark.parametrize("slant", [0.0, 0.4])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_aspect_is_kept(digit: str, slant: float) -> None:
    contrast, mask = ink(digit, 80, 8, slant=slant)
    wide, high = extent(normalize(contrast, mask))
    height, width = (side - 4 for side in mask.shape)
    assert wide / 20 == pytest.approx(width / max(width, height), abs=0.08)
    assert high / 20 == pytest.approx(height / max(width, height), abs=0.08)


@pytest.mark.parametrize("digit", DIGITS)
def test_the_size_on_the_page_does_not_change_the_crop(digit: str) -> None:
    assert unlike(normalize(*ink(digit, 80, 8)), normalize(*ink(digit, 240, 24))) < 10


@pytest.mark.parametrize("digit", DIGITS)
def test_ink_of_neighbours_is_not_seen(digit: str) -> None:
    contrast, mask = ink(digit)
    beside = contrast.copy()
    beside[cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0] = 255
    assert np.array_equal(normalize(beside, mask), normalize(contrast, mask))


@pytest.mark.parametrize("height", [60, 150, 300])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_thin_pen_is_not_lost(digit: str, height: int) -> None:
    crop, ordinary = normalize(*ink(digit, height, pen=2)), normalize(*ink(digit, height, height // 12))
    assert crop.astype(int).sum() > 0.45 * ordinary.astype(int).sum()
    assert np.percentile(crop[crop > 40], 75) >= 140
    assert cv2.connectedComponents(cv2.compare(crop, 60, cv2.CMP_GT), connectivity=8)[0] == 2


def test_a_thick_pen_is_not_thickened() -> None:
    crop = normalize(*ink("1", 100, pen=20))
    assert extent(crop, 127)[0] <= 5


@pytest.mark.parametrize("shape", [(2, 2), (1, 9), (9, 1), (3, 200), (200, 3)])
def test_the_oddest_pieces_pass(shape: tuple[int, int]) -> None:
    full = np.full(shape, 255, np.uint8)
    crop = normalize(full, full)
    assert crop.shape == (28, 28)
    assert crop.any()


def test_crops_made_together_are_as_each_alone() -> None:
    inks = [ink(digit, height, grey=grey) for digit in DIGITS for height, grey in ((24, 0), (40, 120), (70, 200))]
    side = max(max(mask.shape) for _, mask in inks)
    page, labels = np.zeros((side, side * len(inks)), np.uint8), np.zeros((side, side * len(inks)), np.int32)
    pieces = []
    for at, (contrast, mask) in enumerate(inks):
        (height, width), left = mask.shape, at * side
        page[:height, left : left + width] = contrast
        labels[:height, left : left + width][mask > 0] = at + 1
        pieces.append(Piece(left + 2, 2, left + width - 2, height - 2, cv2.countNonZero(mask), (at + 1,)))
    for normal, (contrast, mask) in zip(normalize_all(pieces, labels, page), inks, strict=True):
        assert np.array_equal(normal.crop, normalize(contrast, mask))
    assert normalize_all([], labels, page) == []
    assert centred([]).shape == (0, 28, 28)


def test_a_piece_of_several_labels_is_seen_without_what_lies_between() -> None:
    contrast, labels = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.int32)
    for label, rows in enumerate((slice(5, 10), slice(15, 20), slice(25, 30)), 1):
        contrast[rows, 10:30], labels[rows, 10:30] = 200, label
    (normal,) = normalize_all([Piece(10, 5, 30, 30, 200, (1, 3))], labels, contrast)
    assert extent(normal.crop) == (16, 20)
    assert not normal.crop[11:17].any()
    assert normal.dark == 200
    assert normal.stroke == pytest.approx(5, abs=0.6)


def test_a_piece_at_the_corner_of_a_page_is_seen_whole() -> None:
    contrast, labels = np.zeros((30, 30), np.uint8), np.zeros((30, 30), np.int32)
    contrast[:20, :12], labels[:20, :12] = 255, 7
    (normal,) = normalize_all([Piece(0, 0, 12, 20, 240, (7,))], labels, contrast)
    assert (normal.crop[4:24, 8:20] == 255).all()
    assert np.count_nonzero(normal.crop) == 240


def test_a_pale_crop_is_made_full_black_at_its_97th_percentile() -> None:
    tones = np.arange(100, 200, dtype=np.uint8).reshape(5, 20)
    crop = centred([tones])[0]
    peak = np.percentile(tones, 97)
    wanted = np.minimum(255, np.rint(tones * np.float32(255 / peak)))
    ys, xs = np.nonzero(crop)
    assert np.array_equal(crop[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], wanted)
