"""Bar and QR codes."""

from __future__ import annotations

from batchocr.records import Pixels


def read_code(pixels: Pixels) -> str:
    """Return the text of the code in an image; empty if there is none."""
    import cv2

    text, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels)
    return str(text)
