"""How often Python looks for garbage in processes of our own."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 100)
"""New objects after which Python goes through them; after how many such times it goes through older ones too.

What TensorFlow and OpenCV bring stays, hundreds of thousands of objects: at Python's own 700 they are gone through time
and again, for a quarter of the time that importing TensorFlow takes, and for 12 ms a page in a worker.
"""


def look_seldom() -> None:
    """From now on, in this process."""
    gc.set_threshold(*THRESHOLDS)
