"""The short teeth of combs, which stand on a rule at equal distances and would else be read as ones."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.stretches import Flags, Places, box, find_stretches
from batchocr.vision.tracks import DARKER, Floats, Tracks

SHORTEST, LONGEST = 7, 38
"""Pixels that a tooth is high (1 to 6 mm at 150 dpi)."""
STRAIGHT = 0.4
"""Pixels by which a tooth strays from a straight line."""
LEAN = 0.12
"""Share of its height by which a tooth leans, and a pixel."""
ALIKE = 1.7
"""Times that a tooth may be stronger than its rule, or weaker."""
EVEN = 0.06
"""Share of the distance between teeth by which they stray from it, or two pixels and a half."""
NARROWEST = 0.8
"""Heights of a tooth from one to the next at least."""
ON, ASIDE = 3, 4
"""Pixels above or below a rule's ink within which a tooth ends that stands on it; and by which that is looked for too
far, before it is known where the middle of the tooth lies."""
FREE = 3
"""Teeth at equal distances that are a comb wherever its rule ends."""


def find_teeth(ink: Mask, contrast: Contrast, level: Tracks, rules: Flags) -> Mask:
    """The teeth (height, width) of the combs whose level sides are among the `rules` of `level`.

    They are alike: drawn as their rule is, all as high, and at equal distances from each other and from its ends.
    One that a digit hides is taken to be there too. So a 1 that stands on a rule is no tooth.
    """
    found = np.zeros_like(ink)
    high, wide = ink.shape
    if not rules.any():
        return found
    drawn = level.band(rules)
    bare = cv2.dilate(drawn, box(1, 2 * LONGEST + 9))
    cv2.bitwise_and(bare, ink, dst=bare)
    cv2.subtract(bare, drawn, dst=bare)
    standing = find_stretches(bare, SHORTEST, upright=True)
    near_rules = cv2.dilate(drawn, box(2 * ASIDE + 1, 2 * (ON + ASIDE) + 1), dst=drawn)
    of_near = standing.of[near_rules[standing.x, standing.y] > 0]
    stands_on_one = np.bincount(of_near, minlength=len(standing.left)) > 0
    upright = Tracks(standing.only((standing.width <= LONGEST) & stands_on_one), bare, contrast)
    if not upright.count:
        return found
    rule_at = np.zeros((high + 2 * ON, wide), np.int32)
    rule_at[ON:-ON].ravel()[level.where] = np.where(rules, np.arange(1, level.count + 1), 0)[level.owner]

    def rule_near(y: Places, x: Floats) -> Places:
        """Which rule lies within reach above or below, counted from 1; 0 for none."""
        rows = y.clip(0, high - 1)[:, None] + np.arange(2 * ON + 1)
        return rule_at[rows, x.round().clip(0, wide - 1).astype(np.intp)[:, None]].max(axis=1)

    first, last = upright.middle[upright.start[:-1]], upright.middle[upright.start[1:] - 1]
    may = upright.thin & (upright.stray <= STRAIGHT) & (upright.width <= LONGEST)
    may &= np.abs(last - first) <= LEAN * upright.width + 1
    heads, feet = rule_near(upright.left, first), rule_near(upright.left + upright.width - 1, last)
    for on, other, down in ((feet, heads, -1), (heads, feet, 1)):
        stands = may & (on > 0) & (other == 0)
        rule = on - 1
        alike = upright.strength / np.maximum(level.strength[rule], 1e-9)
        stands &= (alike < ALIKE) & (alike > 1 / ALIKE)
        at = (first + last) / 2
        for of in np.unique(rule[stands]):
            these = np.flatnonzero(stands & (rule == of))
            left, right = float(level.left[of]), float(level.left[of] + level.width[of] - 1)
            for comb, places in _combs(at[these], upright.width[these], left, right):
                chosen = these[comb]
                tall = round(float(np.median(upright.width[chosen])))
                half = float(np.median(upright.thickness[chosen])) / 2
                darkest = DARKER * float(upright.darkest[chosen].max()) + 12
                for x in places:
                    y = round(float(level.middle[level.start[of] + int(np.clip(x - left, 0, level.width[of] - 1))]))
                    rows = slice(max(0, y - tall - 3), y + 1) if down < 0 else slice(max(0, y), y + tall + 4)
                    columns = slice(max(0, int(np.floor(x - half))), int(np.ceil(x + half)) + 1)
                    part = (bare[rows, columns] > 0) & (contrast[rows, columns] <= darkest)
                    found[rows, columns][part] = 255
    return found


def _combs(at: Floats, tall: NDArray[np.intp], left: float, right: float) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """The teeth that make a comb, by index, and where all of its teeth are, between the ends of its rule.

    `at` is where what may be teeth stand, `tall` how high they are.
    """
    usual = max(tall.tolist(), key=lambda t: (np.abs(tall - t) <= _slack(t)).sum())
    alike = np.flatnonzero(np.abs(tall - usual) <= _slack(usual))
    alike = alike[np.argsort(at[alike])]
    inner = alike[(at[alike] > left + 4) & (at[alike] < right - 4)]
    if not len(inner):
        return
    for ends in (([left], [right]), ([], [])):
        stops = np.concatenate([ends[0], at[inner], ends[1]])
        if len(stops) < FREE:
            continue
        steps = np.diff(stops)
        step = float(np.median(steps))
        if step < max(SHORTEST, NARROWEST * usual):
            continue
        times = np.round(steps / step)
        off = np.abs(steps - times * step)
        if (
            (times >= 1).all()
            and (off <= np.maximum(2.5, EVEN * step) * np.sqrt(times)).all()
            and times.sum() <= 2 * len(times)
        ):
            all_of = [
                place
                for a, b, n in zip(stops[:-1], stops[1:], times.astype(int).tolist(), strict=True)
                for place in np.linspace(a, b, n, endpoint=False)
            ]
            yield inner, np.array([*all_of, stops[-1]])
            return


def _slack(tall: float) -> float:
    return max(2.0, 0.15 * tall)
