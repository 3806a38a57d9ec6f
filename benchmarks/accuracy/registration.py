"""Place pages that are made from a blank form, and compare their places with the true ones.

`python benchmarks/accuracy/registration.py FORM [OTHER...]` takes a form file, or the image of a blank form with its
width in mm (`--width-mm`). OTHER are images of other blank forms of the same width. It makes scans (skew, scale, noise,
JPEG), faxes (1 bit, 204x196 and 204x98 dots per inch), and photos (tilt up to 30 degrees, shade, bent paper, a desk as
background, a crop of up to a tenth). Half of the pages are filled in, and a tenth is upside down. A fifth is of another
edition, in which a part is moved by 2 to 4 mm, or of another form: these must be refused.

The error of a page is the largest distance in mm of a visible point of the form from its true place: over all fields,
and over a grid on the whole sheet, most of which may have no print. The table has for each kind of page: pages of the
form that were accepted and refused, for both errors the share of the accepted ones within 0.5 mm and the largest one,
and the other pages that were refused and accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.executors.page_task import prepare_page
from batchocr.forms.form import Form, FormImage
from batchocr.records import LevelPage, Page, Pixels, Scan
from batchocr.vision.geometry.laying import bend_at, transformed

Floats = NDArray[np.float64]
PointMap = Callable[[Floats], Floats]
"""From points (n, 2) of the form in mm to points of the page in pixels."""

WITHIN_MM = 0.5
MARGIN_MM = 8.0
"""Points of the grid are at least this far from the edges of the form."""
KINDS = ("scan", "fax", "fax-low", "photo")


@dataclass(frozen=True)
class Made:
    """A page that was made from a blank form."""

    pixels: Pixels
    true_place: PointMap
    pixel_aspect: float = 1.0


@dataclass(frozen=True)
class Result:
    """How a page was placed."""

    is_own: bool
    """Whether it is a page of the form."""
    fields: float | None
    """Largest error in mm at the places of fields; None if the page was refused."""
    sheet: float | None
    """The same over the whole sheet."""


def filled(blank: Pixels, px_per_mm: float, rng: np.random.Generator) -> Pixels:
    """Draw handwriting: numbers and words of strokes all over the page."""
    page = blank.copy()
    height, width = page.shape
    for _ in range(int(rng.integers(20, 90))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        size = rng.uniform(3, 7) * px_per_mm
        for _ in range(int(rng.integers(1, 7))):
            points = np.array([x, y]) + rng.uniform(0, 1, (int(rng.integers(3, 6)), 2)) * (0.6 * size, size)
            pen = max(1, round(rng.uniform(0.3, 0.8) * px_per_mm))
            cv2.polylines(
                page, [np.rint(points * 8).astype(np.int32)], False, int(rng.integers(10, 90)), pen, cv2.LINE_AA, 3
            )
            x += 0.8 * size
    return page


def other_edition(blank: Pixels, px_per_mm: float, rng: np.random.Generator) -> Pixels:
    """Move a part of the form: at least a quarter of its width and height, by 2 to 4 mm."""
    height, width = blank.shape
    while True:
        page = blank.copy()
        h, w = int(rng.uniform(0.25, 0.6) * height), int(rng.uniform(0.3, 1.0) * width)
        top, left = int(rng.uniform(0, height - h)), int(rng.uniform(0, width - w))
        part = blank[top : top + h, left : left + w]
        turn = rng.uniform(0, 2 * np.pi)
        across, down = np.rint(rng.uniform(2, 4) * px_per_mm * np.array([np.cos(turn), np.sin(turn)])).astype(int)
        page[top : top + h, left : left + w] = 255
        moved = np.full_like(page, 255)
        moved[top : top + h, left : left + w] = part
        shift = np.array([[1, 0, across], [0, 1, down]], np.float64)
        moved = cv2.warpAffine(moved, shift, (width, height), borderValue=255)
        page = np.minimum(page, moved)
        changed = np.abs(page.astype(int) - blank) > 100
        if changed.mean() > 0.01:  # else the part is nearly blank, or its lines repeat
            return page


def bend(size_mm: Floats, largest_mm: float, rng: np.random.Generator) -> PointMap:
    """Return a bend of the paper: a wave across the page that displaces its points along one direction."""
    along, push = (np.array([np.cos(turn), np.sin(turn)]) for turn in rng.uniform(0, 2 * np.pi, 2))
    periods, phase = rng.uniform(0.3, 1.0), rng.uniform(0, 2 * np.pi)
    grow = rng.uniform(-0.5, 0.5)

    def displaced(points: Floats) -> Floats:
        middle = (points - size_mm / 2) / size_mm.max()
        wave = np.sin(2 * np.pi * periods * (middle @ along) + phase) * (1 + grow * (middle @ along[::-1]))
        return points + (largest_mm / 1.25 * wave)[:, None] * push

    return displaced


def drawn(
    blank: Pixels, size_mm: Floats, to_mm: PointMap, frame: tuple[int, int], ground: Pixels, px_per_mm: float
) -> Pixels:
    """Draw a sheet on a background of the size `frame`; `to_mm` leads from pixels of the frame to mm of the form."""
    step = 8
    columns, rows = frame[0] // step + 2, frame[1] // step + 2
    x, y = np.meshgrid(np.arange(columns) * float(step), np.arange(rows) * float(step))
    coarse = to_mm(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(rows, columns, 2).astype(np.float32)
    width = blank.shape[1]
    # a map at all pixels by linear interpolation of the coarse one
    places = [(np.arange(n) + 0.5) / step for n in frame]
    fine = cv2.remap(
        coarse,
        *np.meshgrid(places[0].astype(np.float32), places[1].astype(np.float32)),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    scale = width / size_mm[0]
    reduction = min(1.0, px_per_mm / scale)
    small = (
        cv2.resize(blank, None, fx=reduction, fy=reduction, interpolation=cv2.INTER_AREA) if reduction < 1 else blank
    )
    own = np.array([small.shape[1] / size_mm[0], small.shape[0] / size_mm[1]], np.float32)
    sheet = cv2.remap(small, fine * own - np.float32(0.5), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = ((fine >= 0) & (fine <= size_mm.astype(np.float32))).all(axis=2)
    return np.where(inside, sheet, ground).astype(np.uint8)


def inverse(place: PointMap, size_mm: Floats, frame: tuple[int, int]) -> PointMap:
    """Return the inverse of a smooth map by fixed-point steps from its homography."""
    x, y = np.meshgrid(np.linspace(0, size_mm[0], 20), np.linspace(0, size_mm[1], 28))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    flat, _ = cv2.findHomography(grid, place(grid), 0)
    back = np.linalg.inv(flat)

    def to_mm(points: Floats) -> Floats:
        found = transformed(points, back)
        for _ in range(6):
            clipped = np.clip(found, -20, size_mm + 20)
            found = found + transformed(points, back) - transformed(place(clipped), back)
        return found

    return to_mm


def scan(blank: Pixels, size_mm: Floats, turned: bool, rng: np.random.Generator) -> Made:
    """Make a scan with 150 to 300 dpi."""
    px_per_mm = rng.choice([150, 200, 300]) / 25.4
    angle = np.deg2rad(rng.uniform(-3, 3) + 180 * turned)
    stretch = rng.uniform(0.99, 1.01, 2) * rng.uniform(0.97, 1.0)
    frame = (round(size_mm[0] * px_per_mm), round(size_mm[1] * px_per_mm))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.uniform(-3, 3, 2) * px_per_mm + np.array(frame) / 2

    def place(points: Floats) -> Floats:
        return (points - size_mm / 2) * stretch @ turn.T * px_per_mm + shift

    ground = np.full(frame[::-1], rng.choice([255, 250, 30]), np.uint8)
    page = drawn(blank, size_mm, inverse(place, size_mm, frame), frame, ground, px_per_mm)
    return Made(compressed(noisy(page, rng.uniform(1, 8), rng), rng), place)


def fax(blank: Pixels, size_mm: Floats, turned: bool, rng: np.random.Generator, low: bool) -> Made:
    """Make a fax: 1 bit, 204 dots per inch across and 196 or 98 down."""
    dots = np.array([204, 98 if low else 196]) / 25.4
    angle = np.deg2rad(rng.uniform(-2, 2) + 180 * turned)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    frame = (round(size_mm[0] * dots[0]), round(size_mm[1] * dots[1]))
    stretch = rng.uniform(0.98, 1.0, 2)
    shift = rng.uniform(-3, 3, 2) + size_mm / 2

    def place(points: Floats) -> Floats:
        return ((points - size_mm / 2) * stretch @ turn.T + shift) * dots

    ground = np.full(frame[::-1], 255, np.uint8)
    page = drawn(blank, size_mm, inverse(place, size_mm, frame), frame, ground, dots[1])
    level = rng.uniform(110, 190)
    bits = np.where(noisy(page, 6, rng) > level, 255, 0).astype(np.uint8)
    spots = rng.random(bits.shape) < rng.uniform(0, 0.002)
    return Made(np.where(spots, 255 - bits, bits).astype(np.uint8), place, float(dots[1] / dots[0]))


def photo(blank: Pixels, size_mm: Floats, turned: bool, rng: np.random.Generator) -> Made:
    """Take a photo of a bent sheet on a desk with a tilt of up to 30 degrees."""
    frame = (2448, 3264) if rng.random() < 0.6 else (1536, 2048)
    tilt, towards, turn = np.deg2rad([rng.uniform(0, 30), rng.uniform(0, 360), rng.uniform(-8, 8) + 180 * turned])
    axis = np.array([np.cos(towards), np.sin(towards), 0.0]) * tilt
    rotation = cv2.Rodrigues(axis)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0]
    distance = 1.4 * size_mm[1]
    middle = np.array([[1, 0, -size_mm[0] / 2], [0, 1, -size_mm[1] / 2], [0, 0, 1]])
    view = np.diag([distance, distance, 1.0]) @ np.column_stack([rotation[:, :2], [0, 0, distance]]) @ middle
    corners = np.array([[0, 0], [size_mm[0], 0], size_mm, [0, size_mm[1]]], np.float64)
    ends = transformed(corners, view)
    crop = rng.uniform(0, 0.1) if rng.random() < 0.4 else -rng.uniform(0.02, 0.2)
    scale = float((np.array(frame) / np.ptp(ends, axis=0)).min()) * (1 + min(crop, 0))
    side = rng.integers(0, 2, 2)
    free = np.array(frame) - scale * np.ptp(ends, axis=0)
    start = free * (rng.uniform(0.1, 0.9, 2) if crop < 0 else 0.5)
    if crop > 0:  # a part of the sheet is outside of the frame
        start[1] += (1 if side[1] else -1) * (crop * scale * np.ptp(ends, axis=0)[1] + abs(free[1]) / 2)
    start -= scale * ends.min(axis=0)
    view = np.array([[scale, 0, start[0]], [0, scale, start[1]], [0, 0, 1]]) @ view
    bent = bend(size_mm, rng.uniform(0, 2), rng)

    def place(points: Floats) -> Floats:
        return transformed(bent(points), view)

    noise = cv2.resize(rng.standard_normal((40, 30)).astype(np.float32), frame, interpolation=cv2.INTER_CUBIC)
    ground = (rng.uniform(40, 190) * (1 + 0.1 * noise)).clip(0, 255).astype(np.uint8)
    px_per_mm = float(np.sqrt(abs(np.linalg.det(view[:2, :2])))) / abs(float(view[2] @ (*(size_mm / 2), 1)))
    page = drawn(blank, size_mm, inverse(place, size_mm, frame), frame, ground, max(px_per_mm, frame[1] / size_mm[1]))
    ys, xs = np.mgrid[-0.5 : 0.5 : frame[1] * 1j, -0.5 : 0.5 : frame[0] * 1j]
    direction = rng.uniform(0, 2 * np.pi)
    light = rng.uniform(0.6, 0.95) - rng.uniform(0, 0.3) * (np.cos(direction) * xs + np.sin(direction) * ys)
    page = cv2.GaussianBlur((page * light).clip(0, 255).astype(np.uint8), (0, 0), rng.uniform(0.5, 1.6))
    return Made(compressed(noisy(page, rng.uniform(1, 5), rng), rng), place)


def noisy(pixels: Pixels, spread: float, rng: np.random.Generator) -> Pixels:
    """Add normal noise."""
    return (pixels + spread * rng.standard_normal(pixels.shape, np.float32)).round().clip(0, 255).astype(np.uint8)


def compressed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Compress as JPEG."""
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def places_of(form: Form) -> Floats:
    """Return points (n, 2) in mm of all fields: a grid of 3 by 3 points of each."""
    boxes = np.array([[f.place.left, f.place.top, f.place.width, f.place.height] for f in form.fields]).reshape(-1, 4)
    parts = np.array([[x, y] for x in (0, 0.5, 1) for y in (0, 0.5, 1)])
    return (boxes[:, None, :2] + boxes[:, None, 2:] * parts).reshape(-1, 2)


def places_on_sheet(size_mm: Floats) -> Floats:
    """Return points (n, 2) in mm spread over the whole form."""
    axes = [np.linspace(MARGIN_MM, size - MARGIN_MM, count) for size, count in zip(size_mm, (15, 21), strict=True)]
    x, y = np.meshgrid(*axes)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def error_mm(level: LevelPage, made: Made, points: Floats) -> float:
    """Return the largest distance of a visible one of the points (n, 2) in mm from its true place."""
    placement = level.placement
    assert placement is not None
    on_level = points * placement.px_per_mm
    found = transformed(on_level + bend_at(on_level, placement.bend, level.pixels.shape), level.to_page)
    true = made.true_place(points)
    height, width = made.pixels.shape
    visible = ((true >= 0) & (true <= (width, height))).all(axis=1)
    steps = [made.true_place(points + step) - true for step in ((0.5, 0), (0, 0.5))]
    across = np.stack(steps, axis=2) / 0.5  # (n, 2, 2): pixels for each mm
    away = np.linalg.solve(across, (found - true)[..., None])[..., 0]
    return float(np.hypot(away[:, 0], away[:, 1])[visible].max())


def load(path: Path, width_mm: float) -> Form:
    """Load a form file, or the image of a blank form."""
    if path.suffix == ".toml":
        from batchocr.forms.load import load_form

        return load_form(path)
    pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
    px_per_mm = pixels.shape[1] / width_mm
    return Form(path.stem, width_mm, pixels.shape[0] / px_per_mm, (), image=FormImage(pixels, px_per_mm))


def pages(form: Form, others: list[Form], count: int, seed: int) -> Iterator[tuple[str, bool, Made]]:
    """Yield the kind of each page, whether it is of the form, and the page."""
    assert form.image is not None
    size_mm = np.array([form.width_mm, form.height_mm])
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        kind = KINDS[number % len(KINDS)]
        blank, is_own = form.image.pixels, rng.random() >= 0.2
        if not is_own:
            other = others[int(rng.integers(len(others)))].image if others and rng.random() < 0.5 else None
            blank = other_edition(blank, form.image.px_per_mm, rng) if other is None else other.pixels
        if rng.random() < 0.5:
            blank = filled(blank, form.image.px_per_mm, rng)
        turned = bool(rng.random() < 0.1)
        if kind == "scan":
            yield kind, is_own, scan(blank, size_mm, turned, rng)
        elif kind == "photo":
            yield kind, is_own, photo(blank, size_mm, turned, rng)
        else:
            yield kind, is_own, fax(blank, size_mm, turned, rng, kind == "fax-low")


def main(
    form: Path,
    others: Annotated[list[Path] | None, typer.Argument()] = None,
    count: Annotated[int, typer.Option("--pages", help="Number of pages.")] = 200,
    width_mm: Annotated[float, typer.Option(help="Width of the forms that are given as images.")] = 210.0,
    seed: int = 0,
    choose: Annotated[bool, typer.Option(help="Give the other forms as possible forms, too.")] = False,
    only: Annotated[str, typer.Option(help="Only this kind of pages.")] = "",
    verbose: bool = False,
) -> None:
    """Measure the registration."""
    own = load(form, width_mm)
    rest = [load(other, width_mm) for other in others or []]
    on_sheet = places_on_sheet(np.array([own.width_mm, own.height_mm]))
    of_fields = places_of(own) if own.fields else on_sheet
    possible = (own, *rest) if choose else (own,)
    results: dict[str, list[Result]] = {kind: [] for kind in KINDS}
    seconds = []
    for number, (kind, is_own, made) in enumerate(pages(own, rest, count, seed)):
        if only not in ("", kind):
            continue
        page = Page(Scan(Path("page"), f"page {number}"), 1, made.pixels, "", pixel_aspect=made.pixel_aspect)
        free = time.process_time()
        prepare_page(page)
        start = time.process_time()
        why = ""
        try:
            level = prepare_page(page, possible).level
        except ScanError as fault:
            level, why = None, fault.message
        seconds.append(2 * start - time.process_time() - free)
        found = level is not None and level.placement is not None and level.placement.form == 0
        errors = [error_mm(level, made, each) if found and level else None for each in (of_fields, on_sheet)]
        results[kind].append(Result(is_own, *errors))
        if verbose and ((errors[0] is None) == is_own or (errors[1] or 0) > WITHIN_MM):
            shown = " ".join("-" if each is None else f"{each:.2f}" for each in errors)
            typer.echo(f"{number} {kind} {'own' if is_own else 'other'} {shown} {why}")
    typer.echo(
        "kind      accepted  refused  fields within 0.5 mm  largest  sheet within  largest  others refused  accepted"
    )
    for kind, each in [*results.items(), ("all", [one for many in results.values() for one in many])]:
        own_pages = [one for one in each if one.is_own]
        errors_of = [
            [error for one in own_pages if (error := getattr(one, name)) is not None] for name in ("fields", "sheet")
        ]
        refused = sum(one.fields is None for one in own_pages)
        wrong = sum(one.fields is not None for one in each if not one.is_own)
        right = len(each) - len(own_pages) - wrong
        shares = [f"{np.mean(np.array(many) <= WITHIN_MM):.1%}" if many else "" for many in errors_of]
        largest = [f"{max(many):.2f}" if many else "" for many in errors_of]
        typer.echo(
            f"{kind:8}{len(errors_of[0]):10}{refused:9}{shares[0]:>22}{largest[0]:>9}{shares[1]:>14}{largest[1]:>9}"
            f"{right:16}{wrong:10}"
        )
    typer.echo(f"placement takes {-np.mean(seconds):.3f} s of a core for each page")


if __name__ == "__main__":
    typer.run(main)
