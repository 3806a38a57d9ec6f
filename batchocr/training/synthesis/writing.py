"""Writing by hand on a canvas: digits, numbers with their signs, words, struck-out and ringed numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.training.detection.cells import HAND, SIGN, UNKNOWN
from batchocr.training.synthesis.canvas import Canvas
from batchocr.training.synthesis.marks import MARKS, SIGN_HEIGHTS, SIGN_MIDDLES, mark_strokes, sign_strokes
from batchocr.training.synthesis.pen import Pen, Strokes, any_pen, render
from batchocr.training.synthesis.sources import BITMAP_PX, SIGNS, Glyph, Sources, Writer

WORDS_SHARE = 0.5
"""Share of whole words where letters are written: single letters are four times as many in the data."""
TEXT_WORDS_SHARE = 0.8
"""The same in sentences."""
ALIKE_SHARE = 0.12
"""Of single letters, those that look like a digit."""
NEIGHBOURS_LINK = 0.08
"""Share of numbers in which digits are linked by a stroke."""
OLD_STYLE = 0.08
"""Share of hands whose 0, 1 and 2 are as low as an n, and whose 3, 4, 5, 7 and 9 go below the line."""
OLD_STYLE_LOW, OLD_STYLE_DROP = (0.55, 0.8), (0.25, 0.5)
"""Height of the ones, and how far the others go down, in heights of a 6."""


@dataclass(frozen=True)
class Hand:
    """Who writes, and with what."""

    pen: Pen
    writer: Writer
    mixed: bool
    """Whether each digit is of another hand."""
    uneven: float
    """By how much heights and feet differ within a number, as a share of the height."""
    spacing: float
    """Paper between two digits, in heights; below 0 they overlap."""
    old_style: bool = False
    """Text figures, as the 19th century writes them."""


class Writing:
    """Writes on a canvas with what the sources hold."""

    def __init__(self, canvas: Canvas, sources: Sources) -> None:
        self.canvas, self.sources, self.rng = canvas, sources, canvas.rng
        self._pool = str(self.rng.choice(["strokes", "pictures", "forms"], p=[0.49, 0.34, 0.17]))

    def hand(self) -> Hand:
        """A hand of the page's kind."""
        rng = self.rng
        pen = any_pen(rng, self.canvas.height)
        writers = getattr(self.sources, f"by_{self._pool}")
        writer = writers[int(rng.integers(len(writers)))]
        spacing = rng.uniform(0.0, 0.35) if rng.random() < 0.7 else rng.uniform(-0.18, 0.06)
        uneven = float(rng.uniform(0, 0.09))
        return Hand(pen, writer, bool(rng.random() < 0.25), uneven, float(spacing), bool(rng.random() < OLD_STYLE))

    def _glyph(self, digit: int, hand: Hand) -> Glyph:
        rng = self.rng
        pool = getattr(self.sources, f"by_{self._pool}")
        writer = pool[int(rng.integers(len(pool)))] if hand.mixed else hand.writer
        own = writer.digits[digit]
        while not own or rng.random() < 0.04:
            drawn = self.sources.by_forms
            own = drawn[int(rng.integers(len(drawn)))].digits[digit]
        return own[int(rng.integers(len(own)))]

    def digit(self, digit: int, x: float, base: float, height: float, hand: Hand) -> tuple[float, float, float, float]:
        """One digit with its left side about at `x`, on the base line; returns its box, and keeps it."""
        glyph = self._glyph(digit, hand)
        if glyph.strokes is not None:
            mask, left, top = self._drawn(glyph.strokes, height, hand.pen)
        else:
            mask, left, top = self._varied(glyph.picture, height, hand.pen)
        place = self._lay(mask, x + left - min(0, left), base + top, hand.pen)
        box = self.canvas.box_of(mask, *place)
        if box is None:
            return x, base - height, 1.0, height
        self.canvas.add(digit, *box, HAND, hand.pen.opacity)
        return box

    def _drawn(self, strokes: Strokes, height: float, pen: Pen) -> tuple[Pixels, int, int]:
        pen = replace(pen, slant=pen.slant * 0.7 + float(self.rng.normal(0, 0.03)))
        drawn = render(strokes, height, pen, max(0.8, pen.width_ratio * height))
        return drawn if drawn is not None else (np.zeros((2, 2), np.uint8), 0, 0)

    def _varied(self, picture: Pixels | None, height: float, pen: Pen) -> tuple[Pixels, int, int]:
        """A picture of a digit slanted, stretched, and written with a broader or finer pen."""
        assert picture is not None
        rng = self.rng
        factor = height / BITMAP_PX
        slant = pen.slant * 0.6 + float(rng.normal(0, 0.05))
        turn = float(np.clip(rng.normal(0, 0.05), -0.14, 0.14))
        rows, columns = picture.shape
        margin = 12
        tall, wide = rows + 2 * margin, columns + 2 * margin + round(abs(slant) * rows)
        matrix = np.array([[pen.stretch, -slant, 0], [turn, 1, 0]], np.float64)
        middle = matrix[:, :2] @ (columns / 2, rows / 2)
        matrix[:, 2] = np.array([wide * max(1.0, pen.stretch) / 2, tall / 2]) - middle
        size = (round(wide * max(1.0, pen.stretch)), tall)
        moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR)
        wanted = pen.width_ratio * BITMAP_PX
        change = round(float(np.clip(wanted - 5.5, -2.5, 5)) * 0.7)
        if change:
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1, abs(change) + 1))
            moved = cv2.dilate(moved, kernel) if change > 0 else _thinner(moved, kernel)
        small = cv2.resize(
            moved,
            (max(2, round(size[0] * factor)), max(2, round(tall * factor))),
            interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR,
        )
        left, top, width, high = cv2.boundingRect((small > 60).view(np.uint8))
        small = small[top : top + high, left : left + width] if width else small[:2, :2]
        return np.ascontiguousarray(small), 0, -small.shape[0]

    def _lay(self, mask: Pixels, left: float, top: float, pen: Pen, opacity: float | None = None) -> tuple[int, int]:
        if pen.grain:
            spots = np.clip(self.rng.normal(1 - 0.3 * pen.grain, 0.4 * pen.grain, mask.shape), 0, 1)
            mask = (mask * spots).astype(np.uint8)
        self.canvas.lay(mask, left, top, pen.opacity if opacity is None else opacity)
        return int(left), int(top)

    def number(self, text: str, x: float, base: float, height: float, hand: Hand, right: float | None = None) -> float:
        """A number with its signs; returns its right end. It stops before `right`."""
        rng = self.rng
        end, last = x, None
        slope = float(np.clip(rng.normal(0, 0.02), -0.06, 0.06))
        linked = rng.random() < NEIGHBOURS_LINK
        for i, character in enumerate(text):
            if end > self.canvas.side or (right is not None and end + 0.45 * height > right):
                break
            foot = base + slope * (end - x) + float(rng.normal(0, hand.uneven)) * height
            gap = max(-0.2, hand.spacing + float(rng.normal(0, 0.04))) * height
            if character.isdigit():
                tall = height * float(np.clip(rng.normal(1, hand.uneven * 1.3), 0.6, 1.35))
                if hand.old_style and character in "012":
                    tall *= float(rng.uniform(*OLD_STYLE_LOW))
                elif hand.old_style and character in "34579":
                    drop = float(rng.uniform(*OLD_STYLE_DROP))
                    foot, tall = foot + drop * height, tall * (1 + drop * float(rng.uniform(0.2, 1)))
                box = self.digit(int(character), end + (gap if i else 0), foot, tall, hand)
                if linked and last is not None and rng.random() < 0.5:
                    self._link(last, box, hand)
                end, last = box[0] + box[2], box
            elif character == " ":
                end += 0.45 * height
            else:
                end = self.sign(character, end + max(0.02 * height, gap), foot, height, hand)
                last = None
        return end

    def _link(self, before: tuple[float, ...], after: tuple[float, ...], hand: Hand) -> None:
        """A stroke of the pen from one digit to the next."""
        left, top, width, height = before
        start = (left + width * 0.8, top + height * float(self.rng.uniform(0.1, 0.95)))
        stop = (after[0] + after[2] * 0.2, after[1] + after[3] * float(self.rng.uniform(0.1, 0.95)))
        middle = ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2 + float(self.rng.normal(0, 0.08)) * height)
        points = np.array([start, middle, stop], np.float32)
        corner = points.min(axis=0)
        mask = np.zeros(np.ceil(np.ptp(points, axis=0)[::-1] + 12).astype(int).tolist(), np.uint8)
        line = max(1, round(hand.pen.width_ratio * height * 0.8))
        cv2.polylines(mask, [((points - corner + 5) * 16).round().astype(np.int32)], False, 255, line, cv2.LINE_AA, 4)
        self._lay(mask, corner[0] - 5, corner[1] - 5, hand.pen)

    def sign(self, sign: str, x: float, base: float, height: float, hand: Hand, known: bool = True) -> float:
        """One of SIGNS, or an apostrophe, which is none; returns its right end. Not `known`: nothing is asked of it."""
        rng = self.rng
        at = SIGNS.find(sign)
        size = SIGN_HEIGHTS.get(sign, 0.3) * float(np.exp(rng.normal(0, 0.2)))
        own = self.sources.signs[at] if at >= 0 else ()
        pictures = self.sources.sign_pictures[at] if at >= 0 else ()
        how = rng.random()
        pen = replace(hand.pen, nib=0.0, stretch=1.0, slant=hand.pen.slant * 0.6)
        line = max(0.9, pen.width_ratio * height)
        if sign == "/":
            size = max(1.15, size)
        if own and how < 0.4 and sign not in ".:":
            shape = own[int(rng.integers(len(own)))]
            every = np.concatenate(list(shape))
            unit = size * height / max(0.05, float(np.ptp(every, axis=0).max()))
            drawn = render([s - (every[:, 0].min(), every[:, 1].max()) for s in shape], unit, pen, line)
            mask, left, top = drawn if drawn is not None else (np.zeros((1, 1), np.uint8), 0, 0)
            middle = SIGN_MIDDLES.get(sign, 0.0) * height
            top_at = base - middle - mask.shape[0] / 2
        elif pictures and how < 0.5:
            picture = pictures[int(rng.integers(len(pictures)))]
            a, b, c, d = cv2.boundingRect((picture > 60).view(np.uint8))
            picture = picture[b : b + d, a : a + c]
            unit = size * height / max(1, *picture.shape)
            new = max(1, round(picture.shape[1] * unit)), max(1, round(picture.shape[0] * unit))
            mask = cv2.resize(picture, new, interpolation=cv2.INTER_AREA if unit < 1 else cv2.INTER_LINEAR)
            left, top_at = 0, base - SIGN_MIDDLES.get(sign, 0.0) * height - mask.shape[0] / 2
        else:
            drawn = render(sign_strokes(sign, rng), height, pen, line)
            mask, left, top = drawn if drawn is not None else (np.zeros((1, 1), np.uint8), 0, 0)
            top_at = base + top
        place = self._lay(mask, x + left - min(0, left), top_at, pen)
        box = self.canvas.box_of(mask, *place)
        if box is None:
            return x
        if at >= 0:
            self.canvas.add(10 + at, *box, SIGN if known else UNKNOWN, pen.opacity)
        return box[0] + box[2]

    def mark(self, mark: str, x: float, base: float, height: float, hand: Hand) -> float:
        """One of MARKS, which is no digit; returns its right end."""
        drawn = render(
            mark_strokes(mark, self.rng), height, replace(hand.pen, nib=0.0), max(0.9, hand.pen.width_ratio * height)
        )
        if drawn is None:
            return x
        mask, left, top = drawn
        place = self._lay(mask, x + left - min(0, left), base + top, hand.pen)
        return float(place[0] + mask.shape[1])

    def any_mark(self, x: float, base: float, height: float, hand: Hand) -> float:
        """Some mark; returns its right end."""
        return self.mark(MARKS[int(self.rng.integers(len(MARKS)))], x, base, height, hand)

    def text(self, x: float, base: float, height: float, hand: Hand) -> float:
        """A word as tall beside digits of that height as its letters ask for; returns its right end."""
        rng = self.rng
        pool = self.sources.words if rng.random() < TEXT_WORDS_SHARE else self.sources.letters
        shape, word = pool[int(rng.integers(len(pool)))]
        above = any(c.isupper() or c in "bdfhklt" for c in word)
        below = any(c in "gjpqyQ" for c in word)
        drop = float(rng.uniform(0.3, 0.5)) if below else 0.0
        tall = float(rng.uniform(0.9, 1.3) if above else rng.uniform(0.4, 0.75)) + drop
        extent = float(np.ptp(np.concatenate(list(shape))[:, 1]))  # of long words less than 1
        return self._word(shape, x, base + drop * height, tall * height / max(0.15, extent), height, hand)

    def word(self, x: float, base: float, height: float, hand: Hand, unknown: bool = False) -> float:
        """Letters, a word or another sign by hand: no digits; returns its right end."""
        rng = self.rng
        pool = self.sources.words if rng.random() < WORDS_SHARE else self.sources.letters
        shape, text = pool[int(rng.integers(len(pool)))]
        tall = height * float(rng.uniform(0.8, 1.5) if len(text) > 1 else rng.uniform(0.6, 1.15))
        base += float(rng.uniform(-0.05, 0.25)) * height
        return self._word(shape, x, base, tall, height, hand, unknown)

    def _word(
        self, shape: Strokes, x: float, base: float, tall: float, height: float, hand: Hand, unknown: bool = False
    ) -> float:
        pen = replace(hand.pen, stretch=1.0)
        drawn = render(shape, tall, pen, max(0.8, pen.width_ratio * height))
        if drawn is None:
            return x + height
        mask, left, top = drawn
        place = self._lay(mask, x + left - min(0, left), base + top, pen)
        box = self.canvas.box_of(mask, *place)
        if box is None:
            return x + height
        if unknown:
            self.canvas.add(0, *box, UNKNOWN, 1.0)
        return box[0] + box[2]

    def line(self, x: float, base: float, height: float, hand: Hand) -> float:
        """A number or a line as it was written, or the part of it that has room; returns its right end."""
        rng, side = self.rng, self.canvas.side
        line = self.sources.lines[int(rng.integers(len(self.sources.lines)))]
        boxes, strokes = line.boxes, list(line.strokes)
        room = (side - x) / height
        first = 0.0
        if float(boxes[:, 1].max()) > room:  # a long one: from some digit on
            first = max(0.0, float(boxes[int(rng.integers(len(boxes))), 1]) - float(rng.uniform(0, 0.7 * room)))
            strokes = [s for s in strokes if s[:, 0].max() > first - 1 and s[:, 0].min() < first + room + 1]
            if not strokes:
                return x + height
        moved = [s - np.array([first, 0], np.float32) for s in strokes]
        pen = replace(hand.pen, slant=0.0, stretch=1.0)
        width = max(0.8, pen.width_ratio * height)
        drawn = render(moved, height, pen, width)
        if drawn is None:
            return x + height
        mask, left, top = drawn
        place = self._lay(mask, x + left, base + top, pen)
        origin = place[0] - left, place[1] - top
        for label, box_x, box_y, wide, tall, kind in boxes.tolist():
            self.canvas.add(int(label), origin[0] + (box_x - first) * height, origin[1] + box_y * height, wide * height,
                            tall * height, int(kind), pen.opacity)  # fmt: skip
        return float(place[0] + mask.shape[1])

    def letter(self, x: float, base: float, height: float, hand: Hand) -> None:
        """One letter alone, mostly a capital, as in the cells of a comb: no digit, though O and I look like digits."""
        rng = self.rng
        if rng.random() < ALIKE_SHARE:
            before = len(self.canvas.boxes)
            self.digit(int(rng.choice([0, 1])), x, base, height, hand)
            del self.canvas.boxes[before:]
            return
        for _ in range(12):
            shape, text = self.sources.letters[int(rng.integers(len(self.sources.letters)))]
            if len(text) == 1 and text.isalpha() and (text.isupper() or rng.random() < 0.25):
                drawn = render(shape, height, replace(hand.pen, stretch=1.0), max(0.8, hand.pen.width_ratio * height))
                if drawn is not None:
                    mask, left, top = drawn
                    self._lay(mask, x + left, base + top, hand.pen)
                return

    def tally(self, x: float, base: float, height: float, hand: Hand, most: int = 4) -> float:
        """Strokes in fives, the fifth across, at most so many fives: no digits; returns its right end."""
        rng = self.rng
        ways: list[NDArray[np.float32]] = []
        step, at = rng.uniform(0.14, 0.28), 0.0
        for _ in range(int(rng.integers(1, most + 1))):
            count = 4 if rng.random() < 0.75 else int(rng.integers(2, 4))
            first = at
            for _ in range(count):
                lean = rng.normal(0, 0.05)
                ways.append(
                    np.array([(at + lean, -rng.uniform(0.85, 1.05)), (at - lean, rng.uniform(-0.1, 0.05))], np.float32)
                )
                at += step * rng.uniform(0.8, 1.2)
            if count == 4:
                ends = [(first - step, -rng.uniform(0.2, 0.5)), (at, -rng.uniform(0.4, 0.8))]
                ways.append(np.array(ends, np.float32))
            at += step * 2
        drawn = render(ways, height, replace(hand.pen, stretch=1.0, slant=0.0), max(0.8, hand.pen.width_ratio * height))
        if drawn is None:
            return x
        mask, left, top = drawn
        self._lay(mask, x + left, base + top, hand.pen)
        return x + left + mask.shape[1]

    def cross_out(self, left: float, top: float, width: float, height: float, hand: Hand) -> None:
        """A cell that is crossed out or has a dash, and so holds no digit."""
        rng = self.rng
        mask = self.canvas.shapes()
        line = max(1, round(hand.pen.width_ratio * self.canvas.height))
        low, high = rng.uniform(-0.05, 0.2, 4), rng.uniform(0.8, 1.05, 4)
        corners = [(left + a * width, top + b * height) for a, b in
                   ((low[0], low[1]), (high[0], high[1]), (low[2], high[2]), (high[3], low[3]))]  # fmt: skip
        ways = [corners[:2], corners[2:]]
        how = rng.random()
        if how < 0.2:
            ways = ways[:1]
        elif how < 0.4:
            y = top + height * rng.uniform(0.35, 0.65)
            ways = [[(left + low[0] * width, y), (left + high[0] * width, y + rng.normal(0, 0.05) * height)]]
        for way in ways:
            start, stop = [(round(x), round(y)) for x, y in way]
            cv2.line(mask, start, stop, 255, line, cv2.LINE_AA)
        self.canvas.lay(mask, 0, 0, hand.pen.opacity)

    def strike(self, left: float, top: float, width: float, height: float, hand: Hand) -> None:
        """Strokes through what stands there; nothing is asked about it any more."""
        rng = self.rng
        mask = self.canvas.shapes()
        line = max(1, round(hand.pen.width_ratio * height))
        middle = top + height / 2
        for _ in range(int(rng.integers(1, 4))):
            ends = [(left - rng.uniform(0, 0.4) * height, middle + rng.normal(0, 0.15) * height),
                    (left + width + rng.uniform(0, 0.4) * height, middle + rng.normal(0, 0.2) * height)]  # fmt: skip
            start, stop = [(int(x), int(y)) for x, y in ends]
            cv2.line(mask, start, stop, 255, line, cv2.LINE_AA)
        self.canvas.lay(mask, 0, 0, hand.pen.opacity)
        self.canvas.forget(left - 0.1 * height, top - 0.1 * height, width + 0.2 * height, height * 1.2)


def _thinner(picture: Pixels, kernel: Pixels) -> Pixels:
    """Eroded, unless strokes would break."""
    thin = cv2.erode(picture, kernel)
    return thin if int((thin > 128).sum()) > 0.4 * int((picture > 128).sum()) else picture
