"""A contact sheet of what was read wrongly, to sort faults by kind at a glance.

`python benchmarks/accuracy/faults.py boxes|rows|pieces TRUTH.json results.csv --scans FOLDER --out faults.png` draws up
to 50 faults, evenly chosen among all: the strip, page or cut-out, each digit's box with the digit above and its
confidence below, then the truth and what was read. public_sets.py leaves truth.json and results.csv in the folder given
as `--keep`. Boxes of hand-written digits are green, those of printed ones blue, those marked for review red; the place
of a piece or number is grey.

`--what wrong` (the default) shows what is not right, `extra` digits where none is written or more than there are.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import matplotlib
import typer
from PIL import Image, ImageDraw, ImageFont, ImageOps

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the page."""
SHEET_PX, GAP_PX = 1800, 10
"""Width of the contact sheet, and between its cells."""
STRIP_PX, PAGE_PX, LARGEST_SCALE = (600, 130), (880, 880), 4.0
"""Largest width and height of a strip or cut-out, and of a page."""
PAGE_HEIGHT_PX = 400
"""Pictures from this height on are shown as pages."""
ABOVE_PX, BELOW_PX = 16, 60
"""Of a cell, around the picture."""
GREEN, BLUE, RED, GREY, BLACK = (0, 140, 0), (0, 60, 220), (215, 0, 0), (150, 150, 150), (0, 0, 0)
PLAIN_NUMBER = re.compile(r"[0-9.,/:\s-]+")
"""Pieces that the scorer compares hold nothing else."""


class Kind(StrEnum):
    boxes = "boxes"
    rows = "rows"
    pieces = "pieces"


class What(StrEnum):
    wrong = "wrong"
    extra = "extra"
    all = "all"


@dataclass(frozen=True)
class Found:
    """A row of results.csv."""

    line: tuple[int, int]
    """Page and line."""
    number: int
    position: int
    digit: str
    confidence: float
    box: Box
    printed: bool
    review: bool

    @property
    def middle(self) -> tuple[float, float]:
        left, top, width, height = self.box
        return left + width / 2, top + height / 2


@dataclass(frozen=True)
class Fault:
    """Something to look at: a file, or a place on it, with what is written and what was read."""

    file: str
    place: Box | None
    written: str
    read: str


def results(path: Path) -> dict[str, list[Found]]:
    """The digits of each file, by its name without folders, in reading order."""
    found: dict[str, list[Found]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            left, top, width, height = (float(row[side]) for side in ("left", "top", "width", "height"))
            found[Path(row["file"]).name].append(
                Found(
                    (int(row["page"]), int(row["line"])),
                    int(row["number"]),
                    int(row["position"]),
                    row["digit"],
                    float(row["confidence"]),
                    (left, top, width, height),
                    row.get("origin") == "print",
                    bool(row.get("review")),
                )
            )
    for digits in found.values():
        digits.sort(key=lambda each: (each.line, each.number, each.position))
    return found


def inside(each: Found, place: Box) -> bool:
    (x, y), (left, top, width, height) = each.middle, place
    return left <= x <= left + width and top <= y <= top + height


def misfit(row: str, line: str) -> int:
    """Edit distance of a row to the best-fitting stretch of a line."""
    before = [0] * (len(line) + 1)
    for i, digit in enumerate(row, 1):
        now = [i]
        for j, other in enumerate(line, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (digit != other)))
        before = now
    return min(before)


def of_rows(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Files with a row that stands on no line, and those with more digits than are written."""
    for file, known in truth.items():
        lines: dict[tuple[int, int], str] = defaultdict(str)
        for each in found.get(file, []):
            lines[each.line] += each.digit
        rows, read = known["rows"], " | ".join(lines.values())
        lost = [row for row in rows if not any(row in line for line in lines.values())]
        if len(rows) == 1 or not lost:
            written = known.get("text") or " | ".join(rows)
        else:  # of a page, what is lost alone, each beside what looks most like it
            written = " | ".join(lost)
            read = " | ".join(min(lines.values(), key=lambda line: misfit(row, line), default="") for row in lost)
        if lost:
            yield What.wrong, Fault(file, None, written, read)
        elif sum(map(len, lines.values())) > sum(map(len, rows)):
            yield What.extra, Fault(file, None, written, read)


def of_boxes(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Numbers read otherwise than written, or in parts, or as part of another; and digits in none."""
    for file, numbers in truth.items():
        digits, used = found.get(file, []), set[int]()
        for number in numbers:
            boxes = [tuple(map(float, digit[1:5])) for digit in number["digits"]]
            left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
            right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
            place = (left, top, right - left, bottom - top)
            here = [i for i, each in enumerate(digits) if inside(each, place)]
            used.update(here)
            groups = {(digits[i].line, digits[i].number): None for i in here}
            texts = ["".join(each.digit for each in digits if (each.line, each.number) == group) for group in groups]
            if texts != [number["text"]]:
                yield What.wrong, Fault(file, place, number["text"], " ".join(texts))
        for i, each in enumerate(digits):
            if i not in used:
                yield What.extra, Fault(file, each.box, "(no digit)", each.digit)


def of_pieces(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Pieces of digits by hand read otherwise, and digits found in words, in print or in no piece at all."""
    for file, pieces in truth.items():
        of_piece: dict[int, list[Found]] = defaultdict(list)
        for each in found.get(file, []):
            at = [i for i, piece in enumerate(pieces) if inside(each, tuple(piece["box"]))]
            if at:
                smallest = min(at, key=lambda i: pieces[i]["box"][2] * pieces[i]["box"][3])
                of_piece[smallest].append(each)
            else:
                yield What.extra, Fault(file, each.box, "(no piece)", each.digit)
        for i, piece in enumerate(pieces):
            kind, text, place = piece.get("kind"), piece["text"], tuple(piece["box"])
            read = "".join(each.digit for each in sorted(of_piece[i], key=lambda each: each.middle))
            digits = re.sub(r"\D", "", text)
            if kind in ("unsure", "candidates"):
                continue
            if kind in ("printed", "print") or not digits:
                if read:
                    yield What.extra, Fault(file, place, f"{text} ({kind})", read)
            elif PLAIN_NUMBER.fullmatch(text) and read != digits:
                yield What.wrong, Fault(file, place, text, read)


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size_px)


def cut_out(place: Box | None, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is shown: the place with a margin, or all."""
    if place is None:
        return 0, 0, *size
    left, top, width, height = place
    margin = max(0.6 * height, 25)
    return (
        max(0, int(left - 1.5 * margin)),
        max(0, int(top - margin)),
        min(size[0], int(left + width + 1.5 * margin) + 1),
        min(size[1], int(top + height + margin) + 1),
    )


def drawn(fault: Fault, digits: Sequence[Found], scans: Path) -> Image.Image:
    """A cell of the contact sheet."""
    with Image.open(scans / fault.file) as scan:
        picture = ImageOps.exif_transpose(scan).convert("RGB")
    left, top, right, bottom = cut_out(fault.place, picture.size)
    picture = picture.crop((left, top, right, bottom))
    largest = PAGE_PX if fault.place is None and picture.height >= PAGE_HEIGHT_PX else STRIP_PX
    scale = min(largest[0] / picture.width, largest[1] / picture.height, LARGEST_SCALE)
    picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    lines = (f"written  {fault.written}", f"read      {fault.read}")
    width = max(picture.width, 180, *(min(largest[0], round(font(14).getlength(line))) for line in lines))
    cell = Image.new("RGB", (width, ABOVE_PX + picture.height + BELOW_PX), "white")
    cell.paste(picture, (0, ABOVE_PX))
    draw = ImageDraw.Draw(cell)

    def framed(box: Box, colour: tuple[int, int, int]) -> tuple[float, float]:
        """Draw a box of the page and return the middle of its top edge."""
        x, y = (box[0] - left) * scale, (box[1] - top) * scale + ABOVE_PX
        draw.rectangle((x, y, x + box[2] * scale, y + box[3] * scale), outline=colour)
        return x + box[2] * scale / 2, y

    if fault.place:
        framed(fault.place, GREY)
    for each in digits:
        x, y = each.middle
        if left <= x <= right and top <= y <= bottom:
            colour = RED if each.review else BLUE if each.printed else GREEN
            middle, upper = framed(each.box, colour)
            if fault.place and not inside(each, fault.place):
                continue
            draw.text((middle, upper), each.digit, fill=colour, font=font(15), anchor="mb")
            lower = upper + each.box[3] * scale
            draw.text((middle, lower + 1), f"{100 * each.confidence:.0f}", fill=colour, font=font(9), anchor="mt")
    base = ABOVE_PX + picture.height + 12
    draw.rectangle((0, base, *cell.size), fill="white")
    for at, (line, colour) in enumerate(zip(lines, (BLACK, RED), strict=True)):
        draw.text((2, base + 16 * at), line, fill=colour, font=font(14))
    draw.text((2, base + 34), fault.file, fill=GREY, font=font(9))
    return cell


def contact_sheet(cells: Sequence[Image.Image], heading: str) -> Image.Image:
    """All cells in rows."""
    x, y, lowest, places = GAP_PX, 30, 30, []
    for cell in cells:
        if x + cell.width > SHEET_PX:
            x, y = GAP_PX, lowest + GAP_PX
        places.append((x, y))
        x, lowest = x + cell.width + GAP_PX, max(lowest, y + cell.height)
    sheet = Image.new("RGB", (SHEET_PX, lowest + GAP_PX), (225, 225, 225))
    for cell, place in zip(cells, places, strict=True):
        sheet.paste(cell, place)
    ImageDraw.Draw(sheet).text((GAP_PX, 6), heading, fill=BLACK, font=font(16))
    return sheet


def main(
    kind: Annotated[Kind, typer.Argument(help="How the truth is written, as the scorer takes it.")],
    truth: Annotated[Path, typer.Argument(help="What is written.")],
    read: Annotated[Path, typer.Argument(help="The results.csv.")],
    scans: Annotated[Path, typer.Option(help="The folder of the pictures.")],
    out: Annotated[Path, typer.Option(help="The contact sheet, a PNG.")],
    what: Annotated[What, typer.Option(help="Which faults.")] = What.wrong,
    most: Annotated[int, typer.Option(min=1, help="So many are shown, evenly chosen.")] = 50,
    skip: Annotated[int, typer.Option(min=0, help="Begin with a later one, to see others.")] = 0,
) -> None:
    """Draw the contact sheet."""
    known, found = json.loads(truth.read_text(encoding="utf-8")), results(read)
    finders = {Kind.rows: of_rows, Kind.boxes: of_boxes, Kind.pieces: of_pieces}
    ordered = dict(sorted(known.items()))
    faults = [fault for sort, fault in finders[kind](ordered, found) if what in (sort, What.all)]
    chosen = faults[skip :: max(1, -(-len(faults) // most))][:most]
    cells = [drawn(fault, found.get(fault.file, []), scans) for fault in chosen]
    heading = f"{scans.parent.name}/{scans.name}: {len(chosen)} of {len(faults)} faults ({what}), {len(known)} files"
    contact_sheet(cells, heading).save(out)
    typer.echo(heading)


if __name__ == "__main__":
    typer.run(main)
