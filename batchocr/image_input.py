"""Images given from Python, as arrays or by Pillow, become 8-bit grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps
from PIL.Image import Image

from batchocr.errors import ScanError, UsageError
from batchocr.records import Pixels
from batchocr.sources.colour import darkest_channel, has_faint_ink
from batchocr.sources.grey import OddPixels, eight_bits, grey

CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}
_LUMA = np.array([0.299, 0.587, 0.114])  # of ITU-R BT.601, as the image decoders use it


def pillow_to_grey(image: Image) -> Pixels:
    """Convert a Pillow image of any mode to grey.

    The image is turned upright by its EXIF orientation. Transparent pixels become white. `image` is not changed.

    Args:
        image: Of mode `I`, values from 0 to 65535; of mode `F`, values from 0 (black) to 1 (white).

    Returns:
        (height, width) uint8, 0 is black.

    Raises:
        UsageError: If the values are out of range, or the image has no pixels or is closed.
        ScanError: If the image's file is damaged.
    """
    try:
        upright = ImageOps.exif_transpose(image)  # always a copy
        if 0 in upright.size:
            raise UsageError(f"a Pillow image of size {upright.size}: it has no pixels")
        if upright.mode not in ("I", "F"):
            return grey(upright)
    except OddPixels as error:
        raise UsageError(f"a Pillow image of mode {image.mode}: {error}; convert it to L or RGB") from error
    except ValueError as error:  # what Pillow raises for a closed image
        raise UsageError(f"a Pillow image of mode {image.mode}: {error}; give an image that is open") from error
    except OSError as error:
        raise ScanError("damaged", f"the image given: {error}: scan or copy it again") from error
    values = np.asarray(upright)
    if upright.mode == "I":
        if values.min() < 0 or values.max() > 65535:
            raise UsageError("a Pillow image of mode I: its values must be from 0 to 65535; convert it to L")
        values = values.astype(np.uint16)
    return as_grey(values)


def as_grey(image: NDArray[Any]) -> Pixels:
    """Convert an array to grey. Transparent pixels become white.

    Args:
        image: (height, width) grey, or (height, width, channels): 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. The dtype
            is bool (True is white), uint8, uint16, or a float type with values from 0 to 1.

    Returns:
        (height, width) uint8, 0 is black.

    Raises:
        UsageError: For any other shape, dtype or value.
    """
    if image.ndim not in (2, 3) or 0 in image.shape or (image.ndim == 3 and image.shape[2] not in CHANNELS):
        channels = ", ".join(f"{count} ({name})" for count, name in CHANNELS.items())
        raise UsageError(
            f"an array of shape {image.shape}: give (height, width), or (height, width, channels) with {channels}"
        )
    if image.ndim == 2:
        return np.ascontiguousarray(_to_8_bits(image))
    colours, alpha = (image[..., :-1], image[..., -1]) if image.shape[2] in (2, 4) else (image, None)
    pixels = _to_8_bits(colours)
    if pixels.shape[2] == 1:
        luma: NDArray[Any] = pixels[..., 0]
    elif alpha is None and has_faint_ink(pixels[..., ::-1]):
        return darkest_channel(pixels)
    else:
        luma = pixels @ _LUMA
    if alpha is not None:
        opacity = _to_8_bits(alpha) / 255
        luma = luma * opacity + 255 * (1 - opacity)
    return np.ascontiguousarray(luma.round().astype(np.uint8))


def _to_8_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the values as uint8, of the same shape."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * 255
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return eight_bits(values.astype(np.uint16, copy=False))
    if values.dtype.kind == "f":
        if not (values.min() >= 0 and values.max() <= 1):
            raise UsageError(
                f"an array of {values.dtype} with values from {values.min():g} to {values.max():g}: they must be from "
                "0 (black) to 1 (white); divide them by the largest possible value"
            )
        return np.rint(values.astype(np.float32, copy=False) * 255).astype(np.uint8)
    raise UsageError(f"an array of {values.dtype}: give bool, uint8, uint16, or floats from 0 to 1")
