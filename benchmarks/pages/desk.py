"""Scenes with a written sheet: folds, holes, show-through, a photo on a desk, and a scan with dark margins.

A sheet is projected by a homography; the true boxes are those of each digit's ink after the same homography. Lengths
are pixels at 300 dpi.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from sheet import HEIGHT, MM, WIDTH, Alpha, Array, Sheet, TrueNumber, ink_box

Frame = tuple[int, int]
"""Width and height of an image."""


def smooth_noise(shape: Frame, cells: Frame, rng: np.random.Generator) -> Alpha:
    """Return smooth noise with mean 0 and standard deviation 1, with `cells` patches across and down."""
    noise = rng.standard_normal(cells[::-1]).astype(np.float32)
    return cv2.resize(noise, shape, interpolation=cv2.INTER_CUBIC).astype(np.float32)


def grained(frame: Frame, rng: np.random.Generator) -> Alpha:
    """Return the brightness changes of wood: broad and fine bands along the fibres, and joints between boards."""
    height = frame[1]
    grain = 0.10 * smooth_noise(frame, (3, height // 90), rng) + 0.07 * smooth_noise(frame, (12, height // 9), rng)
    for y in rng.uniform(0, height, 3 if rng.random() < 0.5 else 0).astype(int):
        grain[y : y + 8] -= 0.4
    return grain


def desk(frame: Frame, kind: str, rng: np.random.Generator) -> Array:
    """Return the image (BGR) of a desk: wood, dark, light, or nearly as white as paper."""
    if kind == "wood":
        base = np.array([0.5, 0.75, 1.0]) * rng.uniform(110, 215)
        texture = grained(frame, rng)
        texture = texture if rng.random() < 0.5 else cv2.resize(np.ascontiguousarray(texture.T), frame)
    else:
        lower, upper = {"dark": (20, 75), "light": (150, 205), "white": (215, 242)}[kind]
        base = rng.uniform(lower, upper) * rng.uniform(0.94, 1.06, 3)
        texture = rng.uniform(0.005, 0.02) * smooth_noise(frame, (frame[0] // 6, frame[1] // 6), rng)
    top = base * (1 + texture[..., None])
    for _ in range(int(rng.integers(0, 3))):  # a pen, a cable, a cup
        x, y = rng.uniform(0, frame[0]), rng.uniform(0, frame[1])
        size = tuple(rng.uniform((60, 10), (500, 120)).astype(int).tolist())
        shade = rng.uniform(15, 110, 3).tolist()
        cv2.ellipse(top, (int(x), int(y)), size, rng.uniform(0, 180), 0, 360, shade, -1, cv2.LINE_AA)
    return np.asarray(top.clip(0, 255), np.uint8)


def hand_shadow(frame: Frame, rng: np.random.Generator) -> Alpha:
    """Return the light, between 0.5 and 1, under the shadow of a hand or a telephone."""
    light = np.ones((frame[1] // 4, frame[0] // 4), np.float32)
    x, y = rng.uniform(0.2, 0.8) * light.shape[1], light.shape[0] * rng.choice([0.15, 0.85])
    reach = light.shape[0] * rng.uniform(0.2, 0.45)
    turns = np.linspace(0, 2 * np.pi, 14)[:-1]
    blob = np.stack([np.cos(turns), np.sin(turns)], 1) * reach * rng.uniform(0.6, 1, (13, 1)) + (x, y)
    cv2.fillPoly(light, [blob.astype(np.int32)], rng.uniform(0.5, 0.8))
    return cv2.resize(cv2.GaussianBlur(light, (0, 0), rng.uniform(3, 25)), frame).astype(np.float32)


def fold(sheet: Sheet) -> None:
    """Fold the sheet one to three times, possibly in both directions: thin lines with shade on one side."""
    rng, (height, width) = sheet.rng, sheet.canvas.shape[:2]
    light = np.ones((height, width), np.float32)
    down = [[0.5], [1 / 3, 2 / 3], [0.25, 0.5, 0.75]][int(rng.integers(3))]
    for axis, places in ((0, down), (1, [0.5] if rng.random() < 0.5 else [])):
        length = light.shape[axis]
        for place in places:
            away = np.arange(length) - length * (place + rng.uniform(-0.01, 0.01))
            side = away * rng.choice([-1, 1])
            slope = rng.uniform(0.03, 0.12) * np.exp(-np.abs(side) / rng.uniform(60, 250)) * (side > 0)
            line = rng.uniform(-0.05, 0.22) * np.exp(-((away / rng.uniform(1.2, 3)) ** 2))
            light *= (1 - slope - line).astype(np.float32)[(slice(None), None) if axis == 0 else (None, slice(None))]
    lit = sheet.canvas * (light[..., None] if sheet.canvas.ndim == 3 else light)
    sheet.canvas[:] = lit.clip(0, 255).astype(np.uint8)


def show_through(sheet: Sheet, make: Callable[[Sheet], None]) -> None:
    """Add the writing of the other side: mirrored, blurred and pale."""
    rng, paper = sheet.rng, np.atleast_1d(np.median(sheet.canvas[::50, ::50], axis=(0, 1)))
    other = replace(sheet, canvas=np.full_like(sheet.canvas, 255), written=[])
    make(other)
    soft = cv2.GaussianBlur(other.canvas[:, ::-1], (0, 0), rng.uniform(2, 5)).reshape(*sheet.canvas.shape[:2], -1)
    light = 1 - rng.uniform(0.06, 0.22) * (1 - soft / 255.0)
    through = (sheet.canvas.reshape(light.shape) * light).clip(0, paper)
    sheet.canvas[:] = through.reshape(sheet.canvas.shape).astype(np.uint8)


def punch(sheet: Sheet) -> None:
    """Punch two or four holes; the background is dark, or as light as paper with a thin shade at the rim."""
    rng, x, pitch = sheet.rng, 9 * MM, 80 * MM
    places = HEIGHT / 2 + pitch * np.array([-0.5, 0.5] if rng.random() < 0.7 else [-1.5, -0.5, 0.5, 1.5])
    dark = rng.random() < 0.5
    for y in places + rng.uniform(-2, 2) * MM:
        at, radius, grey = (round(x), round(y)), round(2.9 * MM), rng.uniform(10, 90)
        cv2.circle(sheet.canvas, at, radius, (grey,) * 3, -1 if dark else int(rng.integers(2, 5)), cv2.LINE_AA)


def camera(frame: Frame, rng: np.random.Generator, cut: bool, fill: float, size: Frame = (WIDTH, HEIGHT)) -> Alpha:
    """Return the homography from a sheet of a size to the image of a pinhole camera, tilted by up to 20°.

    The whole sheet is visible and fills at least the share `fill` in one direction, or one or two edges are cut off.
    """
    width, height = size
    tilt_x, tilt_y, turn = np.deg2rad([*rng.uniform(-20, 20, 2), rng.uniform(-8, 8)]).tolist()
    rotation = cv2.Rodrigues(np.array([tilt_x, tilt_y, 0.0]))[0] @ cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0]
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    projection = (
        np.diag([1.2 * height, 1.2 * height, 1.0]) @ np.column_stack([rotation[:, :2], [0, 0, 1.4 * height]]) @ middle
    )
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)[:, None]
    ends = cv2.perspectiveTransform(corners, projection)[:, 0]
    span, room = np.ptp(ends, axis=0), np.array(frame)
    scale = float((room / span).min()) * (rng.uniform(0.97, 1.02) if cut else rng.uniform(fill, 0.97))
    free = room - scale * span
    left_top = free * (rng.choice([-0.1, 0.5, 1.1], 2) if cut else rng.uniform(0.1, 0.9, 2))
    place = left_top - scale * ends.min(axis=0)
    return np.asarray(np.array([[scale, 0, place[0]], [0, scale, place[1]], [0, 0, 1]]) @ projection)


def lay(sheet: Sheet, ground: Array, view: Alpha) -> Array:
    """Return the image (BGR) of a sheet on a background, with a narrow shadow at its edge."""
    frame = ground.shape[1::-1]
    colour = sheet.canvas if sheet.canvas.ndim == 3 else cv2.cvtColor(sheet.canvas, cv2.COLOR_GRAY2BGR)
    projected = cv2.warpPerspective(colour, view, frame, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.full(colour.shape[:2], 255, np.uint8), view, frame)
    alpha = (cover / np.float32(255))[..., None]
    shift = np.array([[1, 0, sheet.rng.uniform(-9, 9)], [0, 1, sheet.rng.uniform(-9, 9)]], np.float32)
    shade = cv2.GaussianBlur(cv2.warpAffine(cover, shift, frame), (0, 0), sheet.rng.uniform(3, 12)) / 255
    dark = ground * (1 - sheet.rng.uniform(0.1, 0.45) * shade[..., None])
    return np.asarray(dark * (1 - alpha) + projected * alpha, np.uint8)


def photograph(sheet: Sheet, kind: str, cut: bool = False) -> tuple[Array, list[TrueNumber]]:
    """Take a photo of 12 or 2 megapixels of a sheet on a desk, with or without a shadow across it."""
    rng, frame = sheet.rng, (3000, 4000)
    reduce = 1.0 if rng.random() < 0.5 else 0.41
    view = camera(frame, rng, cut, 0.62 if reduce == 1 else 0.8, sheet.canvas.shape[1::-1])
    image = lay(sheet, desk(frame, kind, rng), view)
    ys, xs = np.mgrid[-0.5 : 0.5 : frame[1] * 1j, -0.5 : 0.5 : frame[0] * 1j]
    turn = rng.uniform(0, 2 * np.pi)
    light = 0.9 - rng.uniform(0, 0.3) * (np.cos(turn) * xs + np.sin(turn) * ys).astype(np.float32)
    if rng.random() < 0.4:
        light *= hand_shadow(frame, rng)
    image = cv2.GaussianBlur((image * light[..., None]).clip(0, 255).astype(np.uint8), (0, 0), rng.uniform(0.6, 1.4))
    if reduce < 1:
        image = cv2.resize(image, None, fx=reduce, fy=reduce, interpolation=cv2.INTER_AREA)
    noisy = image + rng.uniform(1, 4) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(noisy.round().clip(0, 255), np.uint8), truth(sheet, view, reduce)


def scan_with_margins(sheet: Sheet) -> tuple[Array, list[TrueNumber]]:
    """Scan a rotated sheet under an open lid: some or all margins are dark."""
    rng = sheet.rng
    angle, shade = rng.uniform(-4, 4), rng.uniform(5, 90)
    left, top, right, bottom = np.where(rng.random(4) < 0.65, rng.uniform(0, 14, 4), rng.uniform(-5, 0, 4)) * MM
    frame = (round(WIDTH + left + right), round(HEIGHT + top + bottom))
    view = np.eye(3)
    view[:2] = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), angle, 1.0)
    view[:2, 2] += left, top
    ground = np.full((*frame[::-1], 3), shade, np.uint8)
    image = lay(sheet, ground, view)
    noisy = image + rng.uniform(1, 5) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(noisy.round().clip(0, 255), np.uint8), truth(sheet, view, 1.0)


def truth(sheet: Sheet, view: Alpha, reduce: float) -> list[TrueNumber]:
    """Return the true numbers of a sheet in an image that was scaled by `reduce` after the projection."""
    numbers: list[TrueNumber] = []
    for number in sheet.written:
        boxes = []
        for glyph in number:
            digit, left, top, width, height = ink_box(glyph, view, 0.0)
            x, y = round(left * reduce), round(top * reduce)
            boxes.append(
                [digit, x, y, max(1, round((left + width) * reduce) - x), max(1, round((top + height) * reduce) - y)]
            )
        numbers.append({"text": "".join(str(glyph.digit) for glyph in number), "digits": boxes})
    return numbers


DESKS = ("wood", "dark", "light", "white")
SCENES = (*(f"desk-{name}" for name in DESKS), "desk-cut", "folded", "through", "punched", "margins")


def apply_scene(sheet: Sheet, scene: str, make: Callable[[Sheet], None]) -> tuple[Array, list[TrueNumber]] | None:
    """Apply a scene to a written sheet; return its image and truth, or None if it still has to be scanned."""
    if scene == "folded":
        fold(sheet)
    elif scene == "through":
        show_through(sheet, make)
    elif scene == "punched":
        punch(sheet)
    elif scene == "margins":
        return scan_with_margins(sheet)
    else:
        ground = scene.removeprefix("desk-")
        return (
            photograph(sheet, ground) if ground in DESKS else photograph(sheet, str(sheet.rng.choice(DESKS)), cut=True)
        )
    return None
