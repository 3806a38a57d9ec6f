"""Turn a written sheet into what a scanner, a fax machine or a camera makes of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from paper import Sheet
from PIL import Image

Pixels = NDArray[np.uint8]
SCAN_DPI, FAX_DPI = 150, 200
PHOTO_PX = (1500, 2000)
"""Width and height of a photo."""
FOCUS = 1.2
"""Focal length of the camera in heights of the sheet."""


def tilted(pixels: Pixels, degrees: float) -> Pixels:
    """Turn a page a little, as sheets lie on the glass of a scanner."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def save_scan(sheet: Sheet, degrees: float, path: Path, rng: np.random.Generator) -> None:
    """Save a colour scan as JPEG."""
    scale = SCAN_DPI / sheet.dpi
    pixels = tilted(sheet.scan(0.05, 0.8, rng), degrees)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    Image.fromarray(small).save(path, quality=78, dpi=(SCAN_DPI, SCAN_DPI))


def save_fax(sheet: Sheet, degrees: float, path: Path, rng: np.random.Generator) -> None:
    """Save a fax that was sent upside down: black and white, with the compression of fax machines (Group 4)."""
    grey = cv2.cvtColor(tilted(sheet.scan(0.05, 3, rng), degrees), cv2.COLOR_RGB2GRAY)
    page = Image.fromarray(np.rot90(grey, 2)).point(lambda shade: 255 if shade > 150 else 0, mode="1")
    page.save(path, compression="group4", dpi=(FAX_DPI, FAX_DPI))


def wood(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the image of a wooden desk, (height, width, 3), RGB."""
    grains = np.zeros(size[::-1], np.float32)
    for across, strength in ((3, 0.10), (14, 0.06)):
        noise = rng.standard_normal((size[1] // (240 // across), across)).astype(np.float32)
        grains += strength * cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.array([150, 106, 68], np.float32) * (1 + grains[..., None]), np.float32)


def camera(shape: tuple[int, ...], tilt_deg: tuple[float, float], turn_deg: float) -> NDArray[np.float64]:
    """Return the homography from the sheet to the photo of a camera that looks at it from the side."""
    height, width = shape[:2]
    tilt_x, tilt_y, turn = np.deg2rad([*tilt_deg, turn_deg]).tolist()
    rotation = cv2.Rodrigues(np.array([tilt_x, tilt_y, 0.0]))[0] @ cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0]
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    view = np.diag([FOCUS * height, FOCUS * height, 1.0]) @ np.column_stack(
        [rotation[:, :2], [0, 0, (FOCUS + 0.2) * height]]
    )
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)[:, None]
    ends = cv2.perspectiveTransform(corners, view @ middle)[:, 0]
    scale = 0.93 * float((np.array(PHOTO_PX) / np.ptp(ends, axis=0)).min())
    left, top = (np.array(PHOTO_PX) - scale * np.ptp(ends, axis=0)) / 2 - scale * ends.min(axis=0)
    return np.asarray(np.array([[scale, 0, left], [0, scale, top], [0, 0, 1]]) @ view @ middle, np.float64)


def shade(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the light on a photo: darker towards one corner, and under the soft shadow of an arm."""
    ys, xs = np.mgrid[0 : 1 : size[1] * 1j, 0 : 1 : size[0] * 1j]
    edge = (ys - 0.58) * 0.5 + (xs - 0.5) * 0.9 - 0.22 + rng.normal(0, 0.01)
    arm = 0.28 / (1 + np.exp(-edge / 0.025))
    return np.asarray(1.02 - 0.22 * xs - 0.1 * ys - arm, np.float32)


def save_photo(
    sheet: Sheet, tilt_deg: tuple[float, float], turn_deg: float, path: Path, rng: np.random.Generator
) -> None:
    """Save a photo of the sheet on a desk as JPEG."""
    view = camera(sheet.image.shape, tilt_deg, turn_deg)
    projected = cv2.warpPerspective(sheet.scan(0.04, 0.8, rng).astype(np.float32), view, PHOTO_PX)
    cover = cv2.warpPerspective(np.ones(sheet.image.shape[:2], np.float32), view, PHOTO_PX)
    soft = cv2.GaussianBlur(cv2.warpAffine(cover, np.array([[1, 0, 7], [0, 1, 9.0]]), PHOTO_PX), (0, 0), 9)
    ground = wood(PHOTO_PX, rng) * (1 - 0.45 * soft[..., None])
    image = (ground * (1 - cover[..., None]) + projected * cover[..., None]) * shade(PHOTO_PX, rng)[..., None]
    image = cv2.GaussianBlur(image, (0, 0), 0.7) + rng.normal(0, 1.6, image.shape)
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(path, quality=72, dpi=(72, 72))
