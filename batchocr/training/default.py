"""Training of the default system: crops of synthetic and real pages and of collections, with averaged weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, DigitSplits, concatenate
from batchocr.datasets.public_digits import MNIST
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.records import Crops
from batchocr.training.catalogue import DEFAULT
from batchocr.training.crop_augmentation import augment
from batchocr.training.crop_collection import (
    CROPS_FILE,
    CropAmounts,
    CropSources,
    collect_crops,
    load_crops,
    save_crops,
)
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.fit_epochs import fit_epochs
from batchocr.training.networks import build
from batchocr.training.run_folder import claim, make_repeatable, resumed
from batchocr.training.trained_model import TrainedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DefaultRecipe:
    """Recipe of the default system."""

    epochs: int = 16
    steps: int = 400
    """Batches of an epoch."""
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-3
    average: float = 0.999
    """Momentum of the averaged weights, which are the result of the training."""
    precision: str = "mixed_bfloat16"
    """Precision of the training: `mixed_bfloat16` takes three quarters of the time of `float32` on processors that
    support it. Files are float32."""
    amounts: CropAmounts = field(default_factory=CropAmounts)
    seed: int = 2017


@dataclass(frozen=True)
class MixtureParameters:
    """How batches are mixed from the groups of crops, and how the training ends.

    The shares were chosen in the training rounds (docs/training-rounds.md). They are scaled to sum to 1 over the groups
    that there are.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            MNIST: 0.28,
            "hand": 0.3,
            "print": 0.05,
            "real pages": 0.09,
            "none near": 0.05,
            "none marks": 0.05,
            "none paper": 0.01,
            "none found": 0.03,
            "none on pages": 0.04,
        }
    )
    """Share of a batch by group."""
    other_share: float = 0.02
    """Share of a batch of each group that `shares` does not name."""
    final_epochs_share: float = 1 / 6
    """Share of the epochs, the last ones, in which `final_shares` replace the shares of the same groups."""
    final_shares: Mapping[str, float] = field(default_factory=lambda: {MNIST: 0.5})
    """Shares of the last epochs."""
    norm_momentum: float = 0.98
    """Momentum with which the statistics of batch normalisation are measured again for the averaged weights."""
    norm_batches: int = 200
    """Batches for this."""


PARAMETERS = MixtureParameters()


class _Mixed(keras.utils.PyDataset):
    """Batches drawn from all groups by their shares, each crop distorted a little; the same for the same seed."""

    def __init__(self, groups: Mapping[str, Digits], recipe: DefaultRecipe, first_epoch: int) -> None:
        super().__init__()
        self.groups, self.recipe, self.epoch = list(groups.values()), recipe, first_epoch
        p = PARAMETERS
        self.shares = [
            np.array([shares.get(name, p.other_share) for name in groups])
            for shares in (p.shares, {**p.shares, **p.final_shares})
        ]
        self.classes = np.eye(NOT_A_DIGIT + 1, dtype=np.float32)

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, index: int) -> tuple[Crops, NDArray[np.float32]]:
        rng = np.random.default_rng((self.recipe.seed, self.epoch, index))
        shares = self.shares[self.epoch >= round((1 - PARAMETERS.final_epochs_share) * self.recipe.epochs)]
        counts = rng.multinomial(self.recipe.batch, shares / shares.sum())
        chosen = [g.take(rng.integers(0, len(g), n)) for g, n in zip(self.groups, counts, strict=True) if n]
        part = concatenate(chosen)
        return augment(part.images, rng), self.classes[part.labels]

    def on_epoch_end(self) -> None:
        self.epoch += 1


def _compile(model: keras.Model, recipe: DefaultRecipe) -> None:
    """Compile the model with AdamW, a cosine schedule and averaged weights."""
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 20, recipe.epochs * recipe.steps, warmup_target=recipe.rate, warmup_steps=recipe.steps // 2
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=recipe.decay, use_ema=True, ema_momentum=recipe.average),
        keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
        jit_compile=False,
    )


def fit(groups: Mapping[str, Digits], recipe: DefaultRecipe, out: Path, progress: ProgressOptions) -> keras.Model:
    """Train a network on groups of crops; an interrupted training is resumed.

    Args:
        groups: Crops by group.
        recipe: The recipe.
        out: Folder of the training; each epoch is saved there.
        progress: How progress is reported.

    Returns:
        The trained network, with its averaged weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    make_repeatable(recipe.seed)
    model, epochs = resumed(out)
    batches = _Mixed(groups, recipe, len(epochs))
    if model is None:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(recipe.precision)
        model = build(DEFAULT)
        keras.config.set_dtype_policy(before)
        _compile(model, recipe)
    fit_epochs(
        model,
        batches,
        epochs,
        out,
        seed=recipe.seed,
        epochs=recipe.epochs,
        steps=recipe.steps,
        progress=progress,
    )
    clean = build(DEFAULT)
    clean.set_weights(model.get_weights())
    _settle(clean, batches)
    return clean


def _settle(model: keras.Model, batches: _Mixed) -> None:
    """Measure the statistics of batch normalisation for the averaged weights, which no batch has passed through yet."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momentum = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = PARAMETERS.norm_momentum
    for index in range(PARAMETERS.norm_batches):
        model(batches[index % len(batches)][0], training=True)
    for layer, value in zip(norms, momentum, strict=True):
        layer.momentum = value


def fit_default(
    data: DigitSplits,
    sources: CropSources,
    out: Path,
    recipe: DefaultRecipe,
    *,
    resume: bool,
    jobs: int,
    progress: ProgressOptions,
) -> TrainedModel:
    """Train the default system.

    Args:
        data: MNIST; its test split is only measured on.
        sources: What the crops are made from.
        out: Folder of the training.
        recipe: The recipe.
        resume: Whether the training in `out` is resumed.
        jobs: Number of worker processes that make pages.
        progress: How progress is reported.

    Returns:
        The trained network and the sets it is measured on. The held-out crops give the temperature.

    Raises:
        UsageError: The data does not fit, or the folder holds another training.
        ModelError: The detector cannot be used.
    """
    data.select("test")  # raises if there is no test split
    given = {
        "labels": sources.labels is not None,
        "detector": sources.detector is not None,
        "more": [path.name for path in sources.more],
    }
    claim(out, {"system": DEFAULT, "data": data.sha256, **given, **asdict(recipe)}, resume=resume)
    crops = out / CROPS_FILE
    if crops.exists():
        collections = load_crops(crops)
    else:
        collections = collect_crops(sources, recipe.amounts, recipe.seed, jobs)
        save_crops(collections, crops)
    for name, digits in collections.groups.items():
        log.info("%s: %d crops", name, len(digits))
    model = fit(collections.groups, recipe, out, progress)
    more = "".join(f", {path.name} (without its last eighth)" for path in sources.more)
    return TrainedModel(
        model=model,
        trained_on=collections.groups["hand"],
        count=sum(map(len, collections.groups.values())),
        held_out=concatenate(list(collections.held_out.values())),
        held_out_name="held_out",
        held_out_description=f"crops of held-out writers and pages ({', '.join(collections.held_out)})",
        other_sets={f"held_out_{name}_accuracy": digits for name, digits in collections.held_out.items()},
        data="crops of synthetic and real pages, cut by boxes as a detector gives them, and collections of "
        f"digits ({', '.join(collections.groups)}), without held-out writers and pages{more}",
    )
