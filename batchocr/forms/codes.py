"""Read bar codes and QR codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.records import Pixels


@dataclass(frozen=True)
class CodeParameters:
    """How codes are read."""

    quiet_px: int = 24
    """White margin that is added around the image. Basis: a QR code needs four modules of white around it."""
    enlargements: tuple[float, ...] = (1.0, 2.0, 0.5)
    """Scales that are tried in this order. Basis: OpenCV finds bars and modules of some 2 to 8 px."""


PARAMETERS = CodeParameters()


def read_code(pixels: Pixels, parameters: CodeParameters = PARAMETERS) -> str:
    """Read the bar code or QR code in an image.

    Args:
        pixels: (height, width) uint8, dark on light: the code with some paper around it.
        parameters: See the class.

    Returns:
        The text of the code; empty if none can be read.
    """
    import cv2

    p = parameters
    if min(pixels.shape) == 0:
        return ""
    margin = p.quiet_px
    framed = cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=255)
    for scale in p.enlargements:
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        image = framed if scale == 1 else cv2.resize(framed, None, fx=scale, fy=scale, interpolation=interpolation)
        text = _qr_code(image) or _bar_code(image)
        if text:
            return text
    return ""


def _qr_code(image: Pixels) -> str:
    """Return the text of a QR code; empty if there is none."""
    import cv2

    try:
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(image)
    except cv2.error:  # raised for some images without a code
        return ""
    return str(text)


def _bar_code(image: Pixels) -> str:
    """Return the text of a bar code; empty if there is none. Codes of other directions than the rows are read too."""
    import cv2

    try:
        text = cv2.barcode.BarcodeDetector().detectAndDecode(np.ascontiguousarray(image))[0]
    except cv2.error:
        return ""
    return str(text)
