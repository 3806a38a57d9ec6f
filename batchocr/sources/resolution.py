"""The resolution of a page by the tags of its file, and the shape of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

_MIN_DPI, _MAX_DPI = 50.0, 2400.0
_CAMERA_DPI = 72.0
"""Cameras and programs that know no resolution write this one."""
_MIN_ASPECT, _MAX_ASPECT = 1.2, 4.0
"""Ratio of the finer to the coarser resolution. Fax has 204 by 98, which is 2.1; less is an inaccurate square."""
_EQUAL = 0.02
"""Relative difference up to which both resolutions count as one."""
_ORIENTATION = 274
_TURNED = (5, 6, 7, 8)
"""Values of the EXIF tag Orientation that exchange rows and columns."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How fine the pixels of an upright page are."""

    dpi: float | None = None
    """Pixels per inch in both directions; None if the file states none that is plausible."""
    pixel_aspect: float = 1.0
    """Width of a pixel divided by its height."""


def resolution_of(image: Image) -> Resolution:
    """Return the resolution that the tags of `image` state, for the image after its orientation is applied.

    A ratio of both resolutions counts if it is between 1.2 and 4. Resolutions in an absolute unit must also be
    plausible themselves, between 50 and 2400 dpi. Everything else is ignored, because many programs write nonsense.

    Args:
        image: An image as Pillow opens it, before `ImageOps.exif_transpose`.
    """
    absolute = _pair(image.info.get("dpi"))
    if absolute and abs(absolute[0] - absolute[1]) <= _EQUAL * absolute[1]:
        return Resolution(plausible_dpi(absolute[0]))
    if absolute:
        is_plausible = all(_MIN_DPI <= value <= _MAX_DPI for value in absolute)
        across, down = absolute if is_plausible else (1.0, 1.0)
    else:
        across, down = _relative(image) or (1.0, 1.0)
    if not _MIN_ASPECT <= max(across, down) / min(across, down) <= _MAX_ASPECT:
        return Resolution()
    if image.getexif().get(_ORIENTATION) in _TURNED:
        across, down = down, across
    return Resolution(pixel_aspect=down / across)


def plausible_dpi(dpi: float) -> float | None:
    """Return `dpi` if a scan can have it, else None."""
    return round(dpi, 2) if _MIN_DPI <= dpi <= _MAX_DPI and round(dpi) != _CAMERA_DPI else None


def _relative(image: Image) -> tuple[float, float] | None:
    """Return the resolutions across and down without a unit, as PNG, JPEG (JFIF) and TIFF can state them."""
    for name in ("aspect", "resolution", "jfif_density"):
        pair = _pair(image.info.get(name))
        if pair:
            return pair
    return None


def _pair(value: Any) -> tuple[float, float] | None:
    """Return two positive numbers, or None if `value` is anything else."""
    try:
        across, down = (float(each) for each in value or ())
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if 0 < across < 1e9 and 0 < down < 1e9 else None
