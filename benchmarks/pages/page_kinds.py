"""Kinds of pages: what is printed on a sheet, and how numbers are written on it."""

from collections.abc import Callable
from functools import partial

import numpy as np
from dotted import dotted
from sheet import FONTS, HEIGHT, MM, WIDTH, WORDS, Colour, Glyph, Layout, Sheet, extent, write_lines


def line_colour(rng: np.random.Generator) -> Colour:
    """Return the BGR colour of a form's lines: dark, grey, or a usual colour of forms, sometimes pale."""
    colours = [(30, 30, 30), (rng.uniform(20, 200),) * 3, (200, 130, 60), (90, 90, 210), (110, 170, 80)]
    chosen = np.array(colours[int(rng.integers(len(colours)))])
    b, g, r = chosen + rng.uniform(0, 0.45) * (225 - chosen)
    return (b, g, r)


def ruled(sheet: Sheet) -> None:
    """Write on lined paper."""
    rng = sheet.rng
    pitch, first = rng.uniform(7, 10) * MM, rng.uniform(20, 35) * MM
    light, width = rng.uniform(0, 50), int(rng.integers(2, 5))
    colour = (205 + light, 160 + light, 130 + light) if rng.random() < 0.6 else (140 + light,) * 3
    rules = np.arange(first, HEIGHT - 10 * MM, pitch).tolist()
    for y in rules:
        sheet.bar(0, y, WIDTH, y + width, colour)
    if rng.random() < 0.5:
        x = rng.uniform(18, 32) * MM
        sheet.bar(x, 0, x + width, HEIGHT, (130 + light, 130 + light, 225))
    # Large writing skips lines, so that digits never touch the line above.
    write_lines(
        sheet, Layout(fill=(0.3, 0.8)), lambda height: [y + 2 for y in rules[:: int(np.ceil(1.45 * height / pitch))]]
    )


def in_cells(sheet: Sheet, count: int, height: float, cell: float) -> list[Glyph]:
    """Draw a number of `count` digits, each in a cell with the width `cell`."""
    rng, number = sheet.rng, []
    for place in range(count):
        glyph = sheet.glyph(height * rng.uniform(0.9, 1.1), 0.82 * cell)
        slack = cell - glyph.alpha.shape[1] - 0.1 * height
        x = place * cell + 0.05 * height + slack * rng.uniform(0.2, 0.8)
        number.append(glyph.moved(x, rng.uniform(-0.1, 0.1) * height))
    return number


def entry(sheet: Sheet, style: str, left: float, base: float, height: float, room: float, colour: Colour) -> float:
    """Print a box, comb or dotted line with a number and return its right edge; print nothing if it does not fit."""
    rng = sheet.rng
    count, thickness, cell = int(rng.integers(1, 10)), int(rng.integers(2, 6)), rng.uniform(0.95, 1.2) * height
    before, after = rng.uniform(0.25, 0.6, 2) * height
    cells = count + (int(rng.integers(1, 3)) if rng.random() < 0.2 else 0)
    if style == "comb":
        number, before, width = (
            in_cells(sheet, count, height, cell),
            rng.choice([0, cells - count]) * cell,
            cells * cell,
        )
    else:
        number = sheet.number(count, height)
        width = before + extent(number) + after
    if width > room:
        return left
    right, top, bottom = left + width, base - 1.35 * height, base + 0.3 * height
    if style == "dots":
        right, drop = max(right, left + rng.uniform(0.6, 1) * room), base + rng.uniform(0.02, 0.14) * height
        for x in np.arange(left, right - thickness, rng.uniform(10, 18)):
            sheet.bar(x, drop, x + thickness, drop + thickness, colour)
    else:
        sheet.frame(left, top, right, bottom, thickness, colour)
    teeth = bottom - height * rng.uniform(0.3, 0.6) if rng.random() < 0.3 else top
    for x in left + cell * np.arange(1, cells) if style == "comb" else ():
        sheet.bar(x - thickness / 2, teeth, x + thickness / 2, bottom, colour)
    sheet.write([glyph.moved(left + before, base) for glyph in number])
    return right


def comb(sheet: Sheet) -> None:
    """Write numbers in combs and in boxes, about half each."""
    rng = sheet.rng
    margin, height, colour = rng.uniform(14, 26) * MM, rng.uniform(5, 8) * MM, line_colour(rng)
    for base in np.arange(margin + 1.5 * height, HEIGHT - margin, rng.uniform(2.4, 3.2) * height):
        x, end = margin + rng.uniform(0, 3) * height, WIDTH - margin
        while x < end:
            right = entry(sheet, str(rng.choice(["box", "comb"])), x, base, height, end - x, colour)
            x = max(right, x + height) + rng.uniform(1.3, 3) * height


def phrase(rng: np.random.Generator, max_words: int) -> str:
    """Return up to `max_words` words to print."""
    return " ".join(rng.choice(WORDS, int(rng.integers(1, max_words + 1)))).capitalize()


def table(sheet: Sheet, top: float, height: float, margin: float, colour: Colour, font: str) -> float:
    """Print a table with a heading row, write a number in most cells, and return its bottom edge."""
    rng = sheet.rng
    columns, rows, row = int(rng.integers(3, 6)), int(rng.integers(4, 9)), rng.uniform(1.6, 2.1) * height
    rows = min(rows, int((HEIGHT - margin - top) / row) - 1)
    edges, thickness = np.linspace(margin, WIDTH - margin, columns + 1), int(rng.integers(2, 6))
    for line in range(rows + 2):
        sheet.bar(margin, top + line * row, WIDTH - margin + thickness, top + line * row + thickness, colour)
    for x in edges:
        sheet.bar(x, top, x + thickness, top + (rows + 1) * row, colour)
    for x, place in ((x, place) for place in range(rows + 1) for x in edges[:-1]):
        base, width = top + (place + 0.8) * row, edges[1] - edges[0]
        if place == 0:
            sheet.text(phrase(rng, 1), x + 20, base - 0.1 * row, 3.4, font, colour)
        elif rng.random() < 0.85:
            number = sheet.number(int(rng.integers(1, 7)), height * 0.95)
            slack = width - extent(number) - 1.3 * height
            if slack > 0:
                x += 0.65 * height + rng.uniform(0, slack)
                sheet.write([glyph.moved(x, base) for glyph in number])
    return top + (rows + 1) * row


def form(sheet: Sheet) -> None:
    """Fill in a form with headings, labels beside boxes, combs and dotted lines, a table and small print."""
    rng = sheet.rng
    margin, height = rng.uniform(14, 22) * MM, rng.uniform(5, 7) * MM
    colour, dark = line_colour(rng), (rng.uniform(20, 70),) * 3
    font, size, half = str(rng.choice(FONTS)), rng.uniform(2.8, 4), (WIDTH - 2 * margin) / 2
    y = margin + 8 * MM
    sheet.text(phrase(rng, 3), margin, y, rng.uniform(5, 8), font, dark)
    y += rng.uniform(6, 12) * MM
    for part in rng.permutation(["fields", "table", "fields"]):
        if y > HEIGHT - margin - 4 * height:
            break
        sheet.text(phrase(rng, 4), margin, y + 5 * MM, size * 1.3, font, dark)
        y += 8 * MM
        if part == "table":
            y = table(sheet, y, height, margin, colour, font) + 4 * MM
            continue
        for _ in range(int(rng.integers(3, 6))):
            base = y + 1.5 * height
            if base > HEIGHT - margin:
                break
            for left in (margin, margin + half):
                end = sheet.text(phrase(rng, 2), left, base, size, font, dark) + 0.5 * height
                style, room = str(rng.choice(["box", "comb", "dots"])), left + half - 1.3 * height - end
                entry(sheet, style, end, base, height, room, colour)
            y += rng.uniform(2.1, 2.6) * height
        y += 4 * MM
    for _ in range(int(rng.integers(2, 6))):
        y += 5 * MM
        if y < HEIGHT - 8 * MM:
            sheet.text(" ".join(rng.choice(WORDS, 12)), margin, y, 2.4, font, dark)


MAKERS: dict[str, Callable[[Sheet], None]] = {
    "plain": partial(write_lines, layout=Layout()),
    "ruled": ruled,
    "comb": comb,
    "form": form,
    "skewed": partial(write_lines, layout=Layout(margin_mm=(22.0, 30.0))),
    "photo": partial(write_lines, layout=Layout()),
    "pencil": partial(write_lines, layout=Layout()),
    "dpi150": partial(write_lines, layout=Layout()),
    "dense": partial(write_lines, layout=Layout((3.2, 4.2), pitch=(1.5, 1.75), gap=(1.3, 2.6), fill=(0.85, 1.0))),
    "touching": partial(write_lines, layout=Layout(overlap=1 / 8)),
    "dotted": dotted,
}
KINDS = tuple(MAKERS)
