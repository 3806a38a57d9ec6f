"""Any picture of Pillow's becomes the 8-bit grey that a person would see on white paper."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.sources.colour import darkest_channel, has_faint_ink

if TYPE_CHECKING:
    from PIL.Image import Image

_PLAUSIBLE_DPI = (50.0, 2400.0)
_CAMERA_DPI = 72.0  # written by cameras and programs that know of none


class OddPixels(Exception):
    """The picture's numbers mean no shade of grey that we know."""


def grey(image: Image) -> Pixels:
    """The picture as 8-bit grey, upright by EXIF, what is transparent as white paper; `image` itself is turned.

    Raises OddPixels for numbers of unknown range (32 bits, fractions), and what Pillow raises.
    """
    from PIL import ImageOps

    with NoLimit():
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        mode, transparent = image.mode, image.has_transparency_data
        if mode in ("I", "F"):
            raise OddPixels("signed, of 32 bits, or fractions")
        if mode.startswith("I;16"):
            levels: NDArray[np.uint16] = np.asarray(image).astype(np.uint16, copy=False)
            opaque = eight_bits(levels)
            # Pillow would clip the others to show the one level that is transparent
            return np.where(levels == image.info["transparency"], np.uint8(255), opaque) if transparent else opaque
        if transparent:
            return _on_white(image)
        if mode in ("CMYK", "LAB"):
            image = image.convert("RGB") if mode == "CMYK" else image.getchannel("L")
        if image.mode == "RGB" and has_faint_ink(colours := np.asarray(image)[..., ::-1]):
            return darkest_channel(colours)
        return np.array(image.convert("L"), dtype=np.uint8)


def eight_bits(pixels: NDArray[Any]) -> Pixels:
    """16 bits to 8. Some scanners write 10, 12 or 14 bits into 16, which would be near black if taken as 16."""
    peak = int(pixels.max())
    bits = next(bits for bits in (8, 10, 12, 14, 16) if peak < 1 << bits)
    table = np.rint(np.arange(1 << 16) * (255 / ((1 << bits) - 1))).clip(0, 255).astype(np.uint8)
    eight: Pixels = table[pixels]
    return eight


def dpi_of(image: Image) -> float | None:
    """Dots per inch by the picture's tags; None where there are none, none that can be, or only a camera's habit."""
    dpi = image.info.get("dpi")
    try:
        across, down = (float(value) for value in dpi or ())
    except (TypeError, ValueError, ArithmeticError):
        return None
    return plausible_dpi(across) if abs(across - down) <= 0.02 * down else None


def plausible_dpi(dpi: float) -> float | None:
    """`dpi` where it can be a scan's."""
    least, most = _PLAUSIBLE_DPI
    return round(dpi, 2) if least <= dpi <= most and round(dpi) != _CAMERA_DPI else None


def _on_white(image: Image) -> Pixels:
    from PIL import Image as Images

    if image.mode not in ("LA", "RGBA"):  # a copy of a large one is gigabytes
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    paper = Images.new("L", image.size, 255)
    paper.paste(image.convert("L"), mask=image.getchannel("A"))
    return np.array(paper, dtype=np.uint8)


class NoLimit:
    """Pillow's own limit of pixels is off within: ours was checked by then, and may be the higher one."""

    _lock = threading.Lock()
    _within = 0
    _limit: int | None = None

    def __enter__(self) -> Self:
        from PIL import Image as Images

        with NoLimit._lock:
            if not NoLimit._within:
                NoLimit._limit, Images.MAX_IMAGE_PIXELS = Images.MAX_IMAGE_PIXELS, None
            NoLimit._within += 1
        return self

    def __exit__(self, *fault: object) -> None:
        from PIL import Image as Images

        with NoLimit._lock:
            NoLimit._within -= 1
            if not NoLimit._within:
                Images.MAX_IMAGE_PIXELS = NoLimit._limit
