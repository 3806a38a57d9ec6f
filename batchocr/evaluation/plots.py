"""Plots of a training and of what a model reads. Each function writes one PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, Labels
from batchocr.evaluation.figures import class_name
from batchocr.evaluation.page_scores import DigitPairs
from batchocr.recognition.calibration import Floats, expected_calibration_error

DOTS = 110
"""Resolution of the plots, in dots per inch."""
BLUE, ORANGE, GREY, PALE = "#1f5fa8", "#d9661f", "#555555", "#c9d6e6"
ACROSS, DOWN = 10, 3
"""Columns and rows of images read right, and of images read wrong."""
BINS = 15


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if engine := figure.get_layout_engine():
        engine.set(w_pad=0.1, h_pad=0.1)  # type: ignore[call-arg]  # which the constrained layout has
    figure.savefig(path, dpi=DOTS)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, labelsize=9)


def _show(axes: Axes, image: NDArray[np.uint8]) -> None:
    """Show an image dark on light, as it was written."""
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(PALE)


def examples(digits: Digits, path: Path, across: int = 14) -> None:
    """Plot a row of images of each digit, evenly over the set.

    Args:
        digits: The set.
        path: The PNG to write.
        across: Images in a row.
    """
    figure = Figure(figsize=(0.5 * across + 0.6, 5.7))
    grid = figure.add_gridspec(10, across, left=0.06, right=0.99, top=0.92, bottom=0.01, wspace=0.06, hspace=0.06)
    for digit in range(10):
        which = np.flatnonzero(digits.labels == digit)
        chosen = which[np.linspace(0, len(which) - 1, min(across, len(which))).astype(int)] if len(which) else which
        for column, index in enumerate(chosen):
            axes = figure.add_subplot(grid[digit, column])
            _show(axes, digits.images[index])
            if not column:
                axes.set_ylabel(str(digit), rotation=0, labelpad=10, va="center", fontsize=12)
    figure.suptitle(f"Examples of the {len(digits):,} digits", fontsize=12)
    _save(figure, path)


def label_histogram(labels: Mapping[str, Labels], path: Path) -> None:
    """Plot how often each digit occurs, a panel for each set of labels.

    Args:
        labels: Labels by the name of the set.
        path: The PNG to write.
    """
    figure = Figure(figsize=(4.2 * len(labels), 3.2), layout="constrained")
    for axes, (name, values) in zip(np.atleast_1d(figure.subplots(1, len(labels))), labels.items(), strict=True):
        bars = axes.bar(range(10), np.bincount(values, minlength=10), color=BLUE, width=0.75)
        axes.bar_label(bars, fontsize=8, color=GREY, padding=2)
        axes.set_xticks(range(10))
        axes.set_yticks([])
        axes.set_title(f"{len(values):,} digits, {name}", fontsize=11)
        _plain(axes)
        axes.spines["left"].set_visible(False)
    _save(figure, path)


def history(epochs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Plot accuracy and loss by epoch, of the training and, if there is one, of the validation set.

    Args:
        epochs: The epochs of `history.csv`.
        path: The PNG to write.
    """
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    numbers = np.arange(1, len(epochs) + 1)
    for axes, what in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for key, name, colour in ((what, "training", BLUE), (f"val_{what}", "validation", ORANGE)):
            if key in epochs[0]:
                values = np.array([epoch[key] for epoch in epochs]) * (100 if what == "accuracy" else 1)
                last = f"{values[-1]:.2f}%" if what == "accuracy" else f"{values[-1]:.3f}"
                axes.plot(
                    numbers, values, "o-", color=colour, markersize=3.5, label=f"{name}, {last} after the last epoch"
                )
        if not np.isfinite([epoch[what] for epoch in epochs]).any():
            axes.text(0.5, 0.5, "the training diverged", transform=axes.transAxes, ha="center", color=GREY)
            axes.set_yticks([])
        axes.set_xlabel("epoch")
        axes.set_title("accuracy, %" if what == "accuracy" else "loss", fontsize=11)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0.5, len(epochs) + 0.5)
        axes.grid(axis="y", color="#e6e6e6")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, fontsize=9)
        _plain(axes)
    _save(figure, path)


def evaluation(digits: Digits, probabilities: Floats, folder: Path) -> None:
    """Write `right-and-wrong.png`, `confusion.png` and `reliability.png`.

    Args:
        digits: The digits; none of them is labelled as not a digit.
        probabilities: Calibrated probabilities (n, classes).
        folder: Folder for the plots.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    right_and_wrong(digits, predicted, confidence, folder / "right-and-wrong.png")
    confusion(digits.labels, predicted, folder / "confusion.png")
    reliability(confidence, predicted == digits.labels, folder / "reliability.png")


def pairs_evaluation(pairs: DigitPairs, folder: Path) -> None:
    """Write `confusion.png` and `reliability.png` of the digits read on pages.

    Args:
        pairs: True and read digits.
        folder: Folder for the plots.
    """
    true, predicted = np.array(pairs.true, int), np.array(pairs.predicted, int)
    confusion(true[true >= 0], predicted[true >= 0], folder / "confusion.png")
    reliability(np.array(pairs.confidence), pairs.right, folder / "reliability.png")


def right_and_wrong(digits: Digits, predicted: NDArray[np.integer], confidence: Floats, path: Path) -> None:
    """Plot images read right, evenly over the set, and those read wrong with the highest confidence.

    Args:
        digits: The digits.
        predicted: The answers (n,).
        confidence: Their confidences (n,).
        path: The PNG to write.
    """
    right, wrong = np.flatnonzero(predicted == digits.labels), np.flatnonzero(predicted != digits.labels)
    shown = ACROSS * DOWN
    evenly = right[np.linspace(0, len(right) - 1, min(shown, len(right))).astype(int)] if len(right) else right
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:shown]
    figure = Figure(figsize=(9.8, 9.6))
    for top, which, colour, title in (
        (0.96, evenly, BLUE, f"Read right: {len(right):,} of {len(digits):,}"),
        (0.465, surest, ORANGE, f"Read wrong: {len(wrong):,} of {len(digits):,}, the highest confidence first"),
    ):
        figure.text(0.02, top + 0.015, title, fontsize=12, color=colour)
        grid = figure.add_gridspec(
            DOWN, ACROSS, left=0.02, right=0.98, top=top - 0.035, bottom=top - 0.44, wspace=0.14, hspace=0.55
        )
        for place, index in enumerate(which):
            axes = figure.add_subplot(grid[divmod(place, ACROSS)])
            _show(axes, digits.images[index])
            answer = class_name(int(predicted[index]), narrow=True)
            axes.set_title(f"predicted {answer}\ntrue {digits.labels[index]}", fontsize=8, color=colour, pad=3)
            # a confidence below 1 is not shown as 100%
            axes.set_xlabel(f"{min(confidence[index], 0.999):.1%}", fontsize=7.5, color=GREY, labelpad=2)
    _save(figure, path)


def confusion(labels: NDArray[np.integer], predicted: NDArray[np.integer], path: Path) -> None:
    """Plot the matrix of true and predicted digits; only errors are coloured.

    Args:
        labels: True digits (n,), 0 to 9.
        predicted: Answers (n,); 10 is not a digit.
        path: The PNG to write.
    """
    classes = max(10, int(predicted.max(initial=0)) + 1)
    counts = np.zeros((10, classes), int)
    np.add.at(counts, (labels, predicted), 1)
    wrong = counts.astype(float)
    wrong[np.arange(10), np.arange(10)] = 0
    figure = Figure(figsize=(6.2, 6.2), layout="constrained")
    axes = figure.add_subplot()
    scale: Any = LogNorm(1, max(2, wrong.max()))
    axes.imshow(np.ma.masked_equal(wrong, 0), cmap="Oranges", norm=scale)
    for (true, answer), count in np.ndenumerate(counts):
        if count:
            dark = true != answer and scale(count) > 0.6
            colour = BLUE if true == answer else "white" if dark else "black"
            axes.text(answer, true, f"{count}", ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks(range(classes), [*map(str, range(10)), "not a\ndigit"][:classes])
    axes.set_yticks(range(10))
    axes.set_xticks(np.arange(-0.5, classes), minor=True)
    axes.set_yticks(np.arange(-0.5, 10), minor=True)
    axes.grid(which="minor", color="#e6e6e6")
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"{int(wrong.sum()):,} of {len(labels):,} wrong", fontsize=11)
    _save(figure, path)


def reliability(confidence: Floats, right: NDArray[np.bool_], path: Path) -> None:
    """Plot the share read right against the confidence, in equal bins with Wilson's 95% intervals, and the bins'
    counts.

    Args:
        confidence: Confidences (n,).
        right: Whether each digit is right, (n,).
        path: The PNG to write.
    """
    index = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(index, minlength=BINS)
    filled = np.flatnonzero(counts)
    n = counts[filled]
    mean = np.bincount(index, confidence, BINS)[filled] / n
    share = np.bincount(index, right, BINS)[filled] / n
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    figure = Figure(figsize=(5.4, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="confidence = share read right")
    upper.vlines(mean, np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1), color=PALE, linewidth=5)
    upper.plot(mean, share, "o", color=BLUE, markersize=5, label="measured, with 95% intervals")
    upper.set_ylabel("share read right")
    upper.set_ylim(-0.02, 1.02)
    upper.set_title(f"expected calibration error {expected_calibration_error(confidence, right):.2%}", fontsize=11)
    upper.legend(frameon=False, fontsize=9, loc="lower right")
    edges = np.linspace(0, 1, BINS + 1)
    lower.bar(edges[:-1], counts, width=1 / BINS, align="edge", color=BLUE, edgecolor="white")
    lower.set_yscale("log")
    lower.set_ylim(0.7, max(10, 3 * counts.max()))
    lower.set_ylabel("digits")
    lower.set_xlabel("confidence")
    lower.set_xlim(0, 1.01)
    for axes in (upper, lower):
        _plain(axes)
    _save(figure, path)
