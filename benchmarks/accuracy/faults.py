"""Draw a contact sheet of reading errors, to see at a glance which kinds there are.

`python benchmarks/accuracy/faults.py boxes|rows|pieces TRUTH.json results.csv --scans FOLDER --out faults.png` draws up
to 50 errors, chosen evenly from all. A cell shows the strip, page or cut-out, each digit's box with the digit above
and its confidence below, then the truth and what was read. public_sets.py writes truth.json and results.csv into the
folder given as `--keep`. Boxes of handwritten digits are green, those of printed digits blue, and those marked for
review red. The box of a piece or number is grey.

`--what wrong` (the default) shows what was read wrongly. `--what extra` shows digits where none is written, and files
with too many digits.
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
"""Left, top, width and height in pixels of the page."""
SHEET_PX, GAP_PX = 1800, 10
"""Width of the contact sheet, and distance between its cells."""
STRIP_PX, PAGE_PX, MAX_SCALE = (600, 130), (880, 880), 4.0
"""Maximum width and height of a strip or cut-out and of a page, and maximum enlargement."""
PAGE_HEIGHT_PX = 400
"""Height from which an image is shown as a page."""
ABOVE_PX, BELOW_PX = 16, 60
"""Space above and below the image of a cell."""
GREEN, BLUE, RED, GREY, BLACK = (0, 140, 0), (0, 60, 220), (215, 0, 0), (150, 150, 150), (0, 0, 0)
PLAIN_NUMBER = re.compile(r"[0-9.,/:\s-]+")
"""Matches the pieces that the scorer compares."""


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
    """Page and line of the page."""
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
    """A reading error: a file or a place in it, with the truth and what was read."""

    file: str
    place: Box | None
    written: str
    read: str


def results(path: Path) -> dict[str, list[Found]]:
    """Read results.csv and return the digits of each file, by file name without folders, in reading order."""
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
    """Return the edit distance between a row and the most similar part of a line."""
    before = [0] * (len(line) + 1)
    for i, digit in enumerate(row, 1):
        now = [i]
        for j, other in enumerate(line, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (digit != other)))
        before = now
    return min(before)


def of_rows(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Yield files with a row that is in no line read, and files with more digits than are written."""
    for file, known in truth.items():
        lines: dict[tuple[int, int], str] = defaultdict(str)
        for each in found.get(file, []):
            lines[each.line] += each.digit
        rows, read = known["rows"], " | ".join(lines.values())
        lost = [row for row in rows if not any(row in line for line in lines.values())]
        if len(rows) == 1 or not lost:
            written = known.get("text") or " | ".join(rows)
        else:  # on a page, only the lost rows, each with the most similar line
            written = " | ".join(lost)
            read = " | ".join(min(lines.values(), key=lambda line: misfit(row, line), default="") for row in lost)
        if lost:
            yield What.wrong, Fault(file, None, written, read)
        elif sum(map(len, lines.values())) > sum(map(len, rows)):
            yield What.extra, Fault(file, None, written, read)


def of_boxes(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Yield numbers that were read wrongly, in parts, or as part of another number, and digits outside of numbers."""
    for file, numbers in truth.items():
        digits, used = found.get(file, []), set[int]()
        for number in numbers:
            boxes = [tuple(map(float, digit[1:5])) for digit in number["digits"]]
            left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
            right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
            place = (left, top, right - left, bottom - top)
            in_place = [i for i, each in enumerate(digits) if inside(each, place)]
            used.update(in_place)
            groups = {(digits[i].line, digits[i].number): None for i in in_place}
            texts = ["".join(each.digit for each in digits if (each.line, each.number) == group) for group in groups]
            if texts != [number["text"]]:
                yield What.wrong, Fault(file, place, number["text"], " ".join(texts))
        for i, each in enumerate(digits):
            if i not in used:
                yield What.extra, Fault(file, each.box, "(no digit)", each.digit)


def of_pieces(truth: Mapping[str, Any], found: Mapping[str, list[Found]]) -> Iterator[tuple[What, Fault]]:
    """Yield handwritten pieces that were read wrongly, and digits in words, in printed pieces or outside of pieces."""
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
    """Return left, top, right and bottom of the part to show: the place with a margin, or the whole image."""
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
    """Draw a cell of the contact sheet."""
    with Image.open(scans / fault.file) as scan:
        image = ImageOps.exif_transpose(scan).convert("RGB")
    left, top, right, bottom = cut_out(fault.place, image.size)
    image = image.crop((left, top, right, bottom))
    max_size = PAGE_PX if fault.place is None and image.height >= PAGE_HEIGHT_PX else STRIP_PX
    scale = min(max_size[0] / image.width, max_size[1] / image.height, MAX_SCALE)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    lines = (f"written  {fault.written}", f"read      {fault.read}")
    width = max(image.width, 180, *(min(max_size[0], round(font(14).getlength(line))) for line in lines))
    cell = Image.new("RGB", (width, ABOVE_PX + image.height + BELOW_PX), "white")
    cell.paste(image, (0, ABOVE_PX))
    draw = ImageDraw.Draw(cell)

    def framed(box: Box, colour: tuple[int, int, int]) -> tuple[float, float]:
        """Draw a box of the page and return the centre of its top edge."""
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
    base = ABOVE_PX + image.height + 12
    draw.rectangle((0, base, *cell.size), fill="white")
    for at, (line, colour) in enumerate(zip(lines, (BLACK, RED), strict=True)):
        draw.text((2, base + 16 * at), line, fill=colour, font=font(14))
    draw.text((2, base + 34), fault.file, fill=GREY, font=font(9))
    return cell


def contact_sheet(cells: Sequence[Image.Image], heading: str) -> Image.Image:
    """Arrange all cells in rows."""
    x, y, bottom, places = GAP_PX, 30, 30, []
    for cell in cells:
        if x + cell.width > SHEET_PX:
            x, y = GAP_PX, bottom + GAP_PX
        places.append((x, y))
        x, bottom = x + cell.width + GAP_PX, max(bottom, y + cell.height)
    sheet = Image.new("RGB", (SHEET_PX, bottom + GAP_PX), (225, 225, 225))
    for cell, place in zip(cells, places, strict=True):
        sheet.paste(cell, place)
    ImageDraw.Draw(sheet).text((GAP_PX, 6), heading, fill=BLACK, font=font(16))
    return sheet


def main(
    kind: Annotated[Kind, typer.Argument(help="Format of the truth, as for the scorer.")],
    truth: Annotated[Path, typer.Argument(help="File of the truth.")],
    read: Annotated[Path, typer.Argument(help="File results.csv.")],
    scans: Annotated[Path, typer.Option(help="Folder of the images.")],
    out: Annotated[Path, typer.Option(help="PNG file of the contact sheet.")],
    what: Annotated[What, typer.Option(help="Which errors.")] = What.wrong,
    max_cells: Annotated[int, typer.Option("--most", min=1, help="Maximum number of cells, chosen evenly.")] = 50,
    skip: Annotated[int, typer.Option(min=0, help="Number of errors to skip at the start, to see others.")] = 0,
) -> None:
    """Draw the contact sheet."""
    known, found = json.loads(truth.read_text(encoding="utf-8")), results(read)
    finders = {Kind.rows: of_rows, Kind.boxes: of_boxes, Kind.pieces: of_pieces}
    ordered = dict(sorted(known.items()))
    faults = [fault for sort, fault in finders[kind](ordered, found) if what in (sort, What.all)]
    chosen = faults[skip :: max(1, -(-len(faults) // max_cells))][:max_cells]
    cells = [drawn(fault, found.get(fault.file, []), scans) for fault in chosen]
    heading = f"{scans.parent.name}/{scans.name}: {len(chosen)} of {len(faults)} errors ({what}), {len(known)} files"
    contact_sheet(cells, heading).save(out)
    typer.echo(heading)


if __name__ == "__main__":
    typer.run(main)
