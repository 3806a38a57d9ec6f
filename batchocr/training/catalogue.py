"""The named systems: what they are, how they are trained, and what was published of them. Knows no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from batchocr.errors import UsageError

DEFAULT = "default"
"""The system that the shipped model is of."""
DETECTOR = "detector"
"""The shipped detector's."""
PAGES = "pages"
"""Their only recipe: made-up pages; see `batchocr.training.default` and `batchocr.training.detection`."""

TENTH, THIRTIETH = 1 / 10, 1 / 30


@dataclass(frozen=True)
class Recipe:
    """How a tutorial trained its network, and the accuracy that it tells of."""

    optimizer: Literal["sgd", "adam"]
    rate: float
    batch: int
    epochs: int
    published: float | None
    """Accuracy, 0 to 1; None where nothing was published."""
    figure: str
    """The same as its tutorial puts it."""
    on: Literal["validation", "test"]
    """Where it was measured."""
    held_out: float = TENTH
    """Share of the train half kept out, for validation and calibration: its last digits.

    Where the tutorial trains on everything it is a thirtieth, for a temperature needs digits not trained on.
    """
    scaled: bool = True
    """Whether pixels go in as 0 to 1; else as 0 to 255."""
    xla: bool = False
    """Whether XLA compiles the training: so large a network then takes 0.6 of the time, a small one no less."""


@dataclass(frozen=True)
class System:
    """A network by name."""

    name: str
    layers: str
    parameters: int
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """By name, the one that is taken unless another is asked for first; none for the shipped models."""
    answers: int = 10
    """The ten digits, and whether it is none of them; of the detector, what each of its cells says."""

    @property
    def recipe_names(self) -> tuple[str, ...]:
        return tuple(self.recipes) or (PAGES,)

    def recipe_name(self, asked: str | None) -> str:
        """The recipe asked for, or the system's first. Raises UsageError where it has none of that name."""
        if asked is None:
            return self.recipe_names[0]
        if asked not in self.recipe_names:
            raise UsageError(f"{self.name} has no recipe {asked}; choose one of {', '.join(self.recipe_names)}")
        return asked


_ALL = (
    System(
        "softmax-15",
        "Dense 15 (no activation), Dense 10 softmax",
        11_935,
        {"published": Recipe("sgd", 0.01, 128, 30, 0.92, "about 92%", "validation")},
    ),
    System(
        "mlp-784-32",
        "Dense 784 ReLU, Dense 32 ReLU, Dense 10 softmax",
        640_890,
        {
            "scaled": Recipe("sgd", 0.1, 500, 20, 0.95, "95-98%", "validation"),
            "literal": Recipe("sgd", 0.01, 500, 20, 0.95, "95-98%", "validation", scaled=False),
        },
    ),
    System(
        "mlp-512",
        "Dense 512 ReLU and dropout 0.2, twice, Dense 10 softmax",
        669_706,
        {
            "long": Recipe("adam", 0.001, 200, 10, 0.9839, "98.39%", "test"),
            "short": Recipe("adam", 0.001, 128, 4, 0.9787, "97.87%", "test", held_out=THIRTIETH),
        },
    ),
    System(
        "cnn-tutorial",
        "Conv 32 5×5 ReLU, max-pool 2, Conv 64 5×5 ReLU, max-pool 2, Dense 1024, dropout 0.4, Dense 10 softmax",
        1_111_946,
        {"published": Recipe("adam", 0.001, 200, 10, 0.9919, "99.19%", "test")},
    ),
    System(
        "cnn-all-conv",
        "Conv 3×3 of 32, 64, 128 ReLU, max-pool 2, of 256, 512, 1024, 2048 ReLU, of 10, softmax",
        25_348_362,
        {"published": Recipe("adam", 0.001, 32, 10, 0.992, "about 99.2%", "test", held_out=THIRTIETH, xla=True)},
    ),
    System(
        DEFAULT,
        "Conv 32 5×5, 32, 64, 64, 128, 128 3×3, each with batch normalisation and ReLU, dropout, Dense 11 softmax",
        665_723,
        answers=11,
    ),
    System(
        DETECTOR,
        "Conv 3×3 of 16 to 128 in residual pairs down to stride 32, merged upwards; heat, box, class at 4, 8, 16",
        1_152_005,
        answers=23,
    ),
)
SYSTEMS: Mapping[str, System] = MappingProxyType({system.name: system for system in _ALL})


def system_named(name: str) -> System:
    """Raises UsageError for a name that is not there."""
    if name not in SYSTEMS:
        raise UsageError(f"there is no system {name}; choose one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]
