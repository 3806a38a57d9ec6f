"""Pixels → candidates: what on a page may be a digit, in reading order, each with its 28×28 crop."""

from batchocr.vision.find import find

__all__ = ["find"]
