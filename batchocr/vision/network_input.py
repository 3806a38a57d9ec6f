"""From a grey page to the two channels that the detector takes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels


@dataclass(frozen=True)
class NetworkInputParameters:
    """How the channels are made. A change requires a new training of the detector.

    Basis of all: the study that the detector began with; other values were not tried since.
    """

    paper_px: int = 9
    """Side of the square whose lightest pixel is taken as paper. Most strokes are narrower."""
    smooth_px: int = 33
    """Side of the square over which the paper's brightness is averaged."""
    local_px: int = 49
    """Side of the square over which mean and deviation of the second channel are computed."""
    min_deviation: float = 6.0
    """Grey levels added to the deviation, so that the grain of bare paper stays small."""


PARAMETERS = NetworkInputParameters()


def network_input(pixels: Pixels, parameters: NetworkInputParameters = PARAMETERS) -> NDArray[np.uint8]:
    """Compute the two channels of a grey image. They need no threshold, and shadows do not change them.

    The first channel is ink as a share of the paper's local brightness, from -0.5 to 1.5 as 0 to 255. The second is
    the darkness in local standard deviations, from -1 to 2 as 0 to 255.

    Args:
        pixels: The grey image (height, width), uint8, dark on light.
        parameters: See the class.

    Returns:
        The channels (height, width, 2), uint8.
    """
    p = parameters
    lightest = cv2.dilate(pixels, np.ones((p.paper_px, p.paper_px), np.uint8))
    paper = cv2.blur(lightest, (p.smooth_px, p.smooth_px)).astype(np.float32) + 1
    grey = pixels.astype(np.float32)
    mean = cv2.blur(grey, (p.local_px, p.local_px))
    square = cv2.blur(grey * grey, (p.local_px, p.local_px))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0)) + p.min_deviation
    channels = np.empty((*pixels.shape, 2), np.uint8)
    # share = 1.5 (1 - grey / paper), then (share + 0.5) 127.5
    channels[..., 0] = cv2.convertScaleAbs(np.clip(255 - 191.25 * (grey / paper), 0, 255))
    # level = 0.5 (mean - grey) / deviation, then (level + 1) 85
    channels[..., 1] = cv2.convertScaleAbs(np.clip(42.5 * (mean - grey) / deviation + 85, 0, 255))
    return channels
