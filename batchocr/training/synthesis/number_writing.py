"""Draw handwritten numbers on a canvas: digits, signs between them, marks beside them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.training.detection.cells import HAND, SIGN, UNKNOWN
from batchocr.training.synthesis.canvas import Canvas
from batchocr.training.synthesis.handwriting import PARAMETERS, Handwriting
from batchocr.training.synthesis.non_digits import MARKS, SIGN_HEIGHTS, SIGN_MIDDLES, mark_strokes, sign_strokes
from batchocr.training.synthesis.pen import Pen, Strokes, any_pen, render
from batchocr.training.synthesis.writing_sources import BITMAP_PX, SIGNS, Glyph, HandwritingSources
from batchocr.training.synthesis.zero_chains import zero_chain

Points = NDArray[np.float64]
"""(2,): x and y of a point, in pixels of the canvas."""


class NumberWriting:
    """Draws numbers on a canvas with the writing of the sources."""

    def __init__(self, canvas: Canvas, sources: HandwritingSources) -> None:
        self.canvas, self.sources, self.rng = canvas, sources, canvas.rng
        self._pool = str(self.rng.choice(list(PARAMETERS.pool_shares), p=list(PARAMETERS.pool_shares.values())))
        self._pen_down: tuple[Points, Points] | None = None
        """Where the pen began and ended the last digit, if that is known."""

    def new_handwriting(self) -> Handwriting:
        """Return a random handwriting of the page's kind of writers."""
        rng = self.rng
        pen = any_pen(rng, self.canvas.height)
        writers = getattr(self.sources, f"by_{self._pool}")
        writer = writers[int(rng.integers(len(writers)))]
        spacing = rng.uniform(0.0, 0.35) if rng.random() < 0.7 else rng.uniform(-0.18, 0.06)
        uneven = float(rng.uniform(0, 0.09))
        old = self._pool == "old"
        p = PARAMETERS
        shares = (
            0 if old else p.mixed_share,
            p.old_style_share_of_old if old else p.old_style_share,
            p.chain_share,
            p.joined_share_of_old if old else p.joined_share,
            p.long_five_share_of_old * old,
        )
        mixed, old_style, chains, joined, long_fives = (bool(rng.random() < share) for share in shares)
        if joined:
            spacing = rng.uniform(-0.15, 0.12)
        return Handwriting(pen, writer, mixed, uneven, float(spacing), old_style, chains, joined, long_fives)

    def _glyph(self, digit: int, handwriting: Handwriting) -> Glyph:
        rng = self.rng
        pool = getattr(self.sources, f"by_{self._pool}")
        writer = pool[int(rng.integers(len(pool)))] if handwriting.mixed else handwriting.writer
        own = writer.digits[digit]
        while not own or rng.random() < (PARAMETERS.form_of_1_share if digit == 1 else PARAMETERS.form_share):
            drawn = self.sources.by_forms
            own = drawn[int(rng.integers(len(drawn)))].digits[digit]
        return own[int(rng.integers(len(own)))]

    def digit(
        self, digit: int, x: float, base: float, height: float, handwriting: Handwriting
    ) -> tuple[float, float, float, float]:
        """Draw a digit and add its box.

        Args:
            digit: The digit.
            x: Left side, approximately, in pixels.
            base: Base line, in pixels.
            height: Height, in pixels.
            handwriting: Writer and pen.

        Returns:
            Left, top, width and height of the box.
        """
        glyph = self._glyph(digit, handwriting)
        self._pen_down = None
        if glyph.strokes is not None:
            mask, left, top = self._drawn(glyph.strokes, height, handwriting.pen)
        else:
            mask, left, top = self._varied(glyph.image, height, handwriting.pen)
        place = self._lay(mask, x + left - min(0, left), base + top, handwriting.pen)
        if self._pen_down:
            origin = np.array([place[0] - left, place[1] - top])
            self._pen_down = self._pen_down[0] + origin, self._pen_down[1] + origin
        box = self.canvas.ink_box(mask, *place)
        if box is None:
            return x, base - height, 1.0, height
        self.canvas.add_box(digit, *box, HAND, handwriting.pen.opacity)
        return box

    def _drawn(self, strokes: Strokes, height: float, pen: Pen) -> tuple[Pixels, int, int]:
        pen = replace(pen, slant=pen.slant * 0.7 + float(self.rng.normal(0, 0.03)))
        drawn = render(strokes, height, pen, max(0.8, pen.width_ratio * height))
        ends = np.array([strokes[0][0], strokes[-1][-1]], np.float64) * (height * pen.stretch, height)
        ends[:, 0] -= pen.slant * ends[:, 1]
        self._pen_down = ends[0], ends[1]
        return drawn if drawn is not None else (np.zeros((2, 2), np.uint8), 0, 0)

    def _varied(self, image: Pixels | None, height: float, pen: Pen) -> tuple[Pixels, int, int]:
        """Return the image of a digit, slanted, stretched, and with a broader or finer pen."""
        assert image is not None
        rng = self.rng
        factor = height / BITMAP_PX
        slant = pen.slant * 0.6 + float(rng.normal(0, 0.05))
        turn = float(np.clip(rng.normal(0, 0.05), -0.14, 0.14))
        rows, columns = image.shape
        margin = 12
        digit_height, wide = rows + 2 * margin, columns + 2 * margin + round(abs(slant) * rows)
        matrix = np.array([[pen.stretch, -slant, 0], [turn, 1, 0]], np.float64)
        middle = matrix[:, :2] @ (columns / 2, rows / 2)
        matrix[:, 2] = np.array([wide * max(1.0, pen.stretch) / 2, digit_height / 2]) - middle
        size = (round(wide * max(1.0, pen.stretch)), digit_height)
        moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
        line_width = pen.width_ratio * BITMAP_PX
        change = round(float(np.clip(line_width - 5.5, -2.5, 5)) * 0.7)
        if change:
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1, abs(change) + 1))
            moved = cv2.dilate(moved, kernel) if change > 0 else _thinner(moved, kernel)
        small = cv2.resize(
            moved,
            (max(2, round(size[0] * factor)), max(2, round(digit_height * factor))),
            interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR,
        )
        left, top, width, high = cv2.boundingRect((small > 60).view(np.uint8))
        small = small[top : top + high, left : left + width] if width else small[:2, :2]
        return np.ascontiguousarray(small), 0, -small.shape[0]

    def _lay(self, mask: Pixels, left: float, top: float, pen: Pen, opacity: float | None = None) -> tuple[int, int]:
        if pen.grain:
            spots = np.clip(self.rng.normal(1 - 0.3 * pen.grain, 0.4 * pen.grain, mask.shape), 0, 1)
            mask = (mask * spots).astype(np.uint8)
        self.canvas.put_ink(mask, left, top, pen.opacity if opacity is None else opacity)
        return int(left), int(top)

    def number(
        self, text: str, x: float, base: float, height: float, handwriting: Handwriting, right: float | None = None
    ) -> float:
        """Draw a number with its signs.

        Args:
            text: The number.
            x: Left side, in pixels.
            base: Base line, in pixels.
            height: Height of the digits, in pixels.
            handwriting: Writer and pen.
            right: The number ends before this, in pixels; None for the side of the canvas.

        Returns:
            Its right end.
        """
        rng = self.rng
        end, last, pen_up = x, None, None
        slope = float(np.clip(rng.normal(0, 0.02), -0.06, 0.06))
        linked = rng.random() < PARAMETERS.linked_share
        zeros = len(text) - len(text.rstrip("0")) if handwriting.chains else 0
        for i, character in enumerate(text):
            if end > self.canvas.side or (right is not None and end + 0.45 * height > right):
                break
            baseline = base + slope * (end - x) + float(rng.normal(0, handwriting.uneven)) * height
            gap = max(-0.2, handwriting.spacing + float(rng.normal(0, 0.04))) * height
            if 1 < zeros == len(text) - i:
                return self._zeros(zeros, end + (gap if i else 0), baseline, height, handwriting, right)
            if character.isdigit():
                digit_height = height * float(np.clip(rng.normal(1, handwriting.uneven * 1.3), 0.6, 1.35))
                if handwriting.long_fives and character == "5":
                    digit_height *= float(rng.uniform(*PARAMETERS.long_five_heights))
                    baseline += float(rng.uniform(*PARAMETERS.long_five_drop_heights)) * height
                elif handwriting.old_style and character in "012":
                    digit_height *= float(rng.uniform(*PARAMETERS.old_style_heights))
                elif handwriting.old_style and character in "34579":
                    drop = float(rng.uniform(*PARAMETERS.old_style_drop_heights))
                    baseline, digit_height = (
                        baseline + drop * height,
                        digit_height * (1 + drop * float(rng.uniform(0.2, 1))),
                    )
                box = self.digit(int(character), end + (gap if i else 0), baseline, digit_height, handwriting)
                if handwriting.joined and pen_up is not None and self._pen_down is not None and rng.random() < 0.7:
                    self._stroke(pen_up, self._pen_down[0], height, handwriting)
                elif linked and last is not None and rng.random() < 0.5:
                    self._link(last, box, handwriting)
                end, last, pen_up = box[0] + box[2], box, self._pen_down and self._pen_down[1]
            elif character == " ":
                end += 0.45 * height
            else:
                end = self.sign(character, end + max(0.02 * height, gap), baseline, height, handwriting)
                last = pen_up = None
        return end

    def _zeros(
        self, count: int, x: float, base: float, height: float, handwriting: Handwriting, right: float | None
    ) -> float:
        """Draw zeros in one stroke, as many as there is room for; return their right end."""
        end = self.canvas.side if right is None else right
        strokes, boxes = zero_chain(max(1, min(count, int((end - x) / (0.7 * height)))), self.rng)
        pen = replace(handwriting.pen, stretch=1.0)
        drawn = render(strokes, height, pen, max(0.8, pen.width_ratio * height))
        if drawn is None:
            return x + height
        mask, left, top = drawn
        place = self._lay(mask, x + left - min(0, left), base + top, pen)
        origin = place[0] - left, place[1] - top
        grown = pen.width_ratio * height / 2
        for box_x, box_y, wide, digit_height in (boxes * height).tolist():
            leaning = pen.slant * (-box_y - digit_height / 2)  # the centre moves, and the box grows to both sides
            wider = abs(pen.slant) * digit_height * 0.3
            at = (origin[0] + box_x + leaning - wider - grown, origin[1] + box_y - grown)
            self.canvas.add_box(0, *at, wide + 2 * (wider + grown), digit_height + 2 * grown, HAND, pen.opacity)
        return float(place[0] + mask.shape[1])

    def _link(self, before: tuple[float, ...], after: tuple[float, ...], handwriting: Handwriting) -> None:
        """Draw a pen stroke from one digit to the next."""
        left, top, width, height = before
        start = (left + width * 0.8, top + height * float(self.rng.uniform(0.1, 0.95)))
        stop = (after[0] + after[2] * 0.2, after[1] + after[3] * float(self.rng.uniform(0.1, 0.95)))
        self._stroke(np.array(start), np.array(stop), height, handwriting)

    def _stroke(self, start: Points, stop: Points, height: float, handwriting: Handwriting) -> None:
        """Draw a curved pen stroke between two points."""
        sag = np.array([self.rng.normal(0, 0.06), self.rng.normal(0.02, 0.08)]) * height
        t = np.linspace(0, 1, 8)[:, None]
        points = ((1 - t) * start + t * stop + 4 * t * (1 - t) * sag).astype(np.float32)
        corner = points.min(axis=0)
        mask = np.zeros(np.ceil(np.ptp(points, axis=0)[::-1] + 12).astype(int).tolist(), np.uint8)
        line = max(1, round(handwriting.pen.width_ratio * height * 0.8))
        cv2.polylines(mask, [((points - corner + 5) * 16).round().astype(np.int32)], False, 255, line, cv2.LINE_AA, 4)
        self._lay(mask, corner[0] - 5, corner[1] - 5, handwriting.pen)

    def sign(
        self, sign: str, x: float, base: float, height: float, handwriting: Handwriting, known: bool = True
    ) -> float:
        """Draw a sign, or an apostrophe, which is not a sign.

        Args:
            sign: The sign.
            x: Left side, in pixels.
            base: Base line, in pixels.
            height: Height of the digits, in pixels.
            handwriting: Writer and pen.
            known: Whether the sign must be found; otherwise its box is unknown.

        Returns:
            Its right end.
        """
        rng = self.rng
        at = SIGNS.find(sign)
        size = SIGN_HEIGHTS.get(sign, 0.3) * float(np.exp(rng.normal(0, 0.2)))
        own = self.sources.signs[at] if at >= 0 else ()
        images = self.sources.sign_images[at] if at >= 0 else ()
        roll = rng.random()
        pen = replace(handwriting.pen, nib=0.0, stretch=1.0, slant=handwriting.pen.slant * 0.6)
        line = max(0.9, pen.width_ratio * height)
        if sign == "/":
            size = max(1.15, size)
        if own and roll < 0.4 and sign not in ".:":
            shape = own[int(rng.integers(len(own)))]
            every = np.concatenate(list(shape))
            unit = size * height / max(0.05, float(np.ptp(every, axis=0).max()))
            drawn = render([s - (every[:, 0].min(), every[:, 1].max()) for s in shape], unit, pen, line)
            mask, left, top = drawn if drawn is not None else (np.zeros((1, 1), np.uint8), 0, 0)
            middle = SIGN_MIDDLES.get(sign, 0.0) * height
            top_at = base - middle - mask.shape[0] / 2
        elif images and roll < 0.5:
            image = images[int(rng.integers(len(images)))]
            a, b, c, d = cv2.boundingRect((image > 60).view(np.uint8))
            image = image[b : b + d, a : a + c]
            unit = size * height / max(1, *image.shape)
            new = max(1, round(image.shape[1] * unit)), max(1, round(image.shape[0] * unit))
            mask = cv2.resize(image, new, interpolation=cv2.INTER_AREA if unit < 1 else cv2.INTER_LINEAR)
            left, top_at = 0, base - SIGN_MIDDLES.get(sign, 0.0) * height - mask.shape[0] / 2
        else:
            drawn = render(sign_strokes(sign, rng), height, pen, line)
            mask, left, top = drawn if drawn is not None else (np.zeros((1, 1), np.uint8), 0, 0)
            top_at = base + top
        place = self._lay(mask, x + left - min(0, left), top_at, pen)
        box = self.canvas.ink_box(mask, *place)
        if box is None:
            return x
        if at >= 0:
            self.canvas.add_box(10 + at, *box, SIGN if known else UNKNOWN, pen.opacity)
        return box[0] + box[2]

    def mark(self, mark: str, x: float, base: float, height: float, handwriting: Handwriting) -> float:
        """Draw one of MARKS, which is not a digit; return its right end."""
        drawn = render(
            mark_strokes(mark, self.rng),
            height,
            replace(handwriting.pen, nib=0.0),
            max(0.9, handwriting.pen.width_ratio * height),
        )
        if drawn is None:
            return x
        mask, left, top = drawn
        place = self._lay(mask, x + left - min(0, left), base + top, handwriting.pen)
        return float(place[0] + mask.shape[1])

    def any_mark(self, x: float, base: float, height: float, handwriting: Handwriting) -> float:
        """Draw a random mark; return its right end."""
        return self.mark(MARKS[int(self.rng.integers(len(MARKS)))], x, base, height, handwriting)


def _thinner(image: Pixels, kernel: Pixels) -> Pixels:
    """Erode an image unless its strokes would break."""
    thin = cv2.erode(image, kernel)
    return thin if int((thin > 128).sum()) > 0.4 * int((image > 128).sum()) else image
