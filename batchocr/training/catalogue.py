"""The named systems: their layers, training recipes and published accuracies. Does not import Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from batchocr.errors import UsageError

DEFAULT = "default"
"""System of the shipped classifier."""
DETECTOR = "detector"
"""System of the shipped detector."""
PAGES = "pages"
"""The only recipe of both: synthetic pages; see `batchocr.training.default` and `batchocr.training.detection`."""

TENTH, THIRTIETH = 1 / 10, 1 / 30


@dataclass(frozen=True)
class Recipe:
    """How a tutorial trained its network, and the accuracy that it reports."""

    optimizer: Literal["sgd", "adam"]
    rate: float
    batch: int
    epochs: int
    published: float | None
    """Accuracy, 0 to 1; None if nothing was published."""
    figure: str
    """The accuracy as the tutorial writes it."""
    on: Literal["validation", "test"]
    """The set on which it was measured."""
    held_out: float = TENTH
    """Share of the train split, its last digits, that is kept out for validation and calibration. If the tutorial
    trains on all digits it is a thirtieth, because a temperature must be fitted on digits that were not trained
    on."""
    scaled: bool = True
    """Whether the network receives pixels of 0 to 1; otherwise of 0 to 255."""
    xla: bool = False
    """Whether XLA compiles the training: a network this large then takes 0.6 of the time, a small one gains nothing."""


@dataclass(frozen=True)
class System:
    """A network with a name."""

    name: str
    layers: str
    parameters: int
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """The recipes by name, the default one first; empty for the shipped models."""
    answers: int = 10
    """Number of outputs: ten digits, eleven with the class not a digit; of the detector, the channels of a cell."""

    @property
    def recipe_names(self) -> tuple[str, ...]:
        return tuple(self.recipes) or (PAGES,)

    def recipe_name(self, name: str | None) -> str:
        """Return the name of the recipe to use.

        Args:
            name: The name that was given; None for the system's first recipe.

        Raises:
            UsageError: The system has no recipe of that name.
        """
        if name is None:
            return self.recipe_names[0]
        if name not in self.recipe_names:
            raise UsageError(f"{self.name} has no recipe {name}; choose one of {', '.join(self.recipe_names)}")
        return name


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
    """Return a system by its name.

    Raises:
        UsageError: There is no system of that name.
    """
    if name not in SYSTEMS:
        raise UsageError(f"there is no system {name}; choose one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]
