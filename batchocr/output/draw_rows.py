"""The page with what was read drawn on it, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import DigitRow, Pixels

Picture = NDArray[np.uint8]
"""(height, width, 3), blue green red."""

Colour = tuple[int, int, int]

_DIGIT_HEIGHT = 48  # pixels that a usual digit should at least have, or its label cannot be read
_SHORT_SIDE = 320
_MOST_PIXELS = 40_000_000
_LABEL_PART = 0.3  # of the height of a usual digit
_LEAST_LABEL = 11
_SMALL = 0.75  # the confidence beside its digit
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT = 22  # of its digits, in pixels at scale 1


@dataclass(frozen=True)
class _Colours:
    sure: Colour
    doubtful: Colour


_ON_LIGHT = _Colours(sure=(40, 130, 0), doubtful=(0, 40, 230))
_ON_DARK = _Colours(sure=(120, 230, 80), doubtful=(60, 140, 255))


@dataclass(frozen=True)
class _Label:
    """The digit and its confidence, on one base line."""

    digit: str
    percent: str
    left: int
    bottom: int
    colour: Colour


def draw(pixels: Pixels, digits: Sequence[DigitRow]) -> Picture:
    """The page in colour, with a box round each digit and above it the digit and its confidence in percent (`7 99`).

    Green is sure, red is for review. A small page, or one with small digits, is enlarged by a whole number, so that
    the labels can be read; where there is no room for them at its top, a strip is added there.
    """
    usual = float(np.median([row.height for row in digits])) if digits else _DIGIT_HEIGHT
    times = _enlargement(pixels, usual)
    height = _label_height(digits, usual, times)
    colours = _ON_LIGHT if np.median(pixels[::8, ::8]) > 127 else _ON_DARK
    labels = [label for number in _numbers(digits) for label in _labels(number, times, height, colours)]
    strip = max([0, *(2 * height - label.bottom for label in labels)]) if labels else 0

    large = cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC) if times > 1 else pixels
    large = cv2.copyMakeBorder(large, strip, 0, 0, 0, cv2.BORDER_REPLICATE)
    picture = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    thin = max(1, round(usual * times / 60))
    for row in digits:
        line = 2 * thin if row.review else thin  # outside the digit's box, so that it hides no ink of its own
        start = (row.left * times - line, row.top * times - line + strip)
        size = (row.width * times + 2 * line, row.height * times + 2 * line)
        _frame(picture, start, size, line, colours.doubtful if row.review else colours.sure)
    for label in _apart(labels, height, picture.shape[1]):
        _write(picture, replace(label, bottom=label.bottom + strip), height)
    return picture


def _frame(picture: Picture, start: tuple[int, int], size: tuple[int, int], line: int, colour: Colour) -> None:
    """Draws a frame `line` pixels wide, of that outer size. OpenCV's own lines grow to both sides."""
    (left, top), (width, height) = start, size
    for x, y, w, h in (
        (left, top, width, line),
        (left, top + height - line, width, line),
        (left, top, line, height),
        (left + width - line, top, line, height),
    ):
        picture[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = colour


def _enlargement(pixels: Pixels, usual: float) -> int:
    wanted = max(_DIGIT_HEIGHT / usual, _SHORT_SIDE / min(pixels.shape))
    most = int((_MOST_PIXELS / pixels.size) ** 0.5)
    return max(1, min(int(np.ceil(wanted)), most))


def _label_height(digits: Sequence[DigitRow], usual: float, times: int) -> int:
    """In pixels of the picture: a part of a usual digit's height, less where digits stand close together."""
    wanted = _LABEL_PART * usual * times
    steps = [after.left - row.left for number in _numbers(digits) for row, after in pairwise(number)]
    if steps:
        wide = _width(_Label("7", "99", 0, 0, (0, 0, 0)), 100) / 100
        wanted = min(wanted, float(np.median(steps)) * times / wide)
    return max(_LEAST_LABEL, round(wanted))


def _numbers(digits: Iterable[DigitRow]) -> list[list[DigitRow]]:
    return [list(rows) for _, rows in groupby(digits, key=lambda row: (row.line, row.number))]


def _labels(number: Sequence[DigitRow], times: int, height: int, colours: _Colours) -> Iterator[_Label]:
    """One for each digit, all on one base line above the number."""
    bottom = min(row.top for row in number) * times - max(3, height // 3)
    for row in number:
        colour = colours.doubtful if row.review else colours.sure
        label = _Label(str(row.digit), f"{min(99, round(row.confidence * 100))}", 0, bottom, colour)
        middle = row.left * times + row.width * times // 2
        yield replace(label, left=middle - _width(label, height) // 2)


def _apart(labels: Iterable[_Label], height: int, width: int) -> Iterator[_Label]:
    """The labels moved sideways as little as keeps those of one number apart, and all inside the picture."""
    for _, number in groupby(labels, key=lambda label: label.bottom):
        row = list(number)
        steps = [_width(label, height) + height // 3 for label in row]
        starts = [sum(steps[:place]) for place in range(len(row))]
        rising = _nearest_rising([label.left - start for label, start in zip(row, starts, strict=True)])
        most = width - starts[-1] - steps[-1]
        for label, start, value in zip(row, starts, rising, strict=True):
            yield replace(label, left=start + max(0, min(round(value), most)))


def _nearest_rising(values: Sequence[float]) -> list[float]:
    """The never falling values that are nearest to `values` by squares: falling neighbours share their mean."""
    runs: list[list[float]] = []
    for value in values:
        runs.append([value])
        while len(runs) > 1 and fmean(runs[-2]) > fmean(runs[-1]):
            last = runs.pop()
            runs[-1] += last
    return [fmean(run) for run in runs for _ in run]


def _width(label: _Label, height: int) -> int:
    return _text_width(label.digit, height) + height // 4 + _text_width(label.percent, _small(height))


def _text_width(text: str, height: int) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, height / _FONT_HEIGHT, _stroke(height))
    return width


def _small(height: int) -> int:
    return round(height * _SMALL)


def _stroke(height: int) -> int:
    return max(1, round(height / 9))


def _write(picture: Picture, label: _Label, height: int) -> None:
    beside = label.left + _text_width(label.digit, height) + height // 4
    for text, left, high in ((label.digit, label.left, height), (label.percent, beside, _small(height))):
        at = (left, label.bottom)
        cv2.putText(picture, text, at, _FONT, high / _FONT_HEIGHT, label.colour, _stroke(high), cv2.LINE_AA)
