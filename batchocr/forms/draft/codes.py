"""Bar codes and QR codes on a blank form."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.form import Rect
from batchocr.records import Pixels


def find_codes(pixels: Pixels, width_mm: float, parameters: DraftParameters = PARAMETERS) -> list[Rect]:
    """Find the codes that OpenCV can read.

    Args:
        pixels: (height, width), uint8, the level blank form.
        width_mm: Width of the paper.
        parameters: See the class.

    Returns:
        Their places, with a margin.
    """
    p = parameters
    scale = pixels.shape[1] / width_mm
    height_mm = pixels.shape[0] / scale
    found: list[Rect] = []
    for texts, corners in (_qr_codes(pixels), _bar_codes(pixels)):
        if corners is None:
            continue
        for text, quad in zip(texts, corners, strict=True):
            left, top = (np.min(quad, axis=0) / scale - p.code_margin_mm).tolist()
            right, bottom = (np.max(quad, axis=0) / scale + p.code_margin_mm).tolist()
            left, top, right, bottom = max(0.0, left), max(0.0, top), min(width_mm, right), min(height_mm, bottom)
            if text and right - left > p.min_number_mm and bottom - top > p.min_box_mm:
                found.append(Rect(left, top, right - left, bottom - top))
    return found


def _qr_codes(pixels: Pixels) -> tuple[Any, Any]:
    done, texts, corners, _ = cv2.QRCodeDetectorAruco().detectAndDecodeMulti(pixels)
    return (texts, corners) if done else ((), None)


def _bar_codes(pixels: Pixels) -> tuple[Any, Any]:
    done, texts, _, corners = cv2.barcode.BarcodeDetector().detectAndDecodeWithType(pixels)
    return (texts, corners) if done else ((), None)
