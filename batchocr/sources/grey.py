"""Convert an image of Pillow to the 8-bit grey that a person would see on white paper."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.sources.colour import darkest_channel, has_faint_ink

if TYPE_CHECKING:
    from PIL.Image import Image


class OddPixels(Exception):
    """The range of the image's numbers is unknown, so that they do not give shades of grey."""


def grey(image: Image) -> Pixels:
    """Return an image as 8-bit grey (height, width), upright by EXIF, with white paper where it is transparent.

    Args:
        image: The image, which is itself made upright.

    Raises:
        OddPixels: Its numbers have 32 bits or are fractions.
        Exception: What Pillow raises for damaged data.
    """
    from PIL import ImageOps

    with NoLimit():
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        mode, is_transparent = image.mode, image.has_transparency_data
        if mode in ("I", "F"):
            raise OddPixels("signed, of 32 bits, or fractions")
        if mode.startswith("I;16"):
            levels: NDArray[np.uint16] = np.asarray(image).astype(np.uint16, copy=False)
            opaque = eight_bits(levels)
            # Pillow would clip all other levels
            return np.where(levels == image.info["transparency"], np.uint8(255), opaque) if is_transparent else opaque
        if is_transparent:
            return _on_white(image)
        if mode in ("CMYK", "LAB"):
            image = image.convert("RGB") if mode == "CMYK" else image.getchannel("L")
        if image.mode == "RGB" and has_faint_ink(colours := np.asarray(image)[..., ::-1]):
            return darkest_channel(colours)
        return np.array(image.convert("L"), dtype=np.uint8)


def eight_bits(pixels: NDArray[Any]) -> Pixels:
    """Convert 16-bit grey to 8 bits by the number of bits that the brightest pixel uses.

    Some scanners write 10, 12 or 14 bits into 16. Taken as 16 bits, such a page would be almost black.

    Args:
        pixels: At least one uint16, in any shape.
    """
    peak = int(pixels.max())
    bits = next(bits for bits in (8, 10, 12, 14, 16) if peak < 1 << bits)
    table = np.rint(np.arange(1 << 16) * (255 / ((1 << bits) - 1))).clip(0, 255).astype(np.uint8)
    eight: Pixels = table[pixels]
    return eight


def _on_white(image: Image) -> Pixels:
    from PIL import Image as Images

    if image.mode not in ("LA", "RGBA"):  # a copy of a large image takes gigabytes
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    paper = Images.new("L", image.size, 255)
    paper.paste(image.convert("L"), mask=image.getchannel("A"))
    return np.array(paper, dtype=np.uint8)


class NoLimit:
    """Context in which Pillow's own limit of pixels is off. Ours is checked before, and may be higher."""

    _lock = threading.Lock()
    _depth = 0
    _limit: int | None = None

    def __enter__(self) -> Self:
        from PIL import Image as Images

        with NoLimit._lock:
            if not NoLimit._depth:
                NoLimit._limit, Images.MAX_IMAGE_PIXELS = Images.MAX_IMAGE_PIXELS, None
            NoLimit._depth += 1
        return self

    def __exit__(self, *fault: object) -> None:
        from PIL import Image as Images

        with NoLimit._lock:
            NoLimit._depth -= 1
            if not NoLimit._depth:
                Images.MAX_IMAGE_PIXELS = NoLimit._limit
