"""Continue the training of a classifier with digits that a person has corrected, without forgetting what it knew.

Batches are a mixture: corrected digits, oversampled, and the digits that it learned from before (rehearsal: Robins,
Catastrophic forgetting, rehearsal and pseudorehearsal, Connection Science 1995). For the class *not a digit*, of which
MNIST has nothing, the answers of the model before are the targets on crops between two digits (Li and Hoiem, Learning
without forgetting, 2016). The result is the mean of the weights along the training, mixed with the weights before
(Wortsman and others, Robust fine-tuning of zero-shot models, CVPR 2022).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.corrected_crops import CorrectedCrops, load_corrected_crops
from batchocr.datasets.digits import Digits, DigitSplits, concatenate
from batchocr.errors import ModelError, UsageError
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.recognition.keras_archive_check import KerasFile
from batchocr.records import Crops
from batchocr.training.crop_augmentation import augment
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.fit_epochs import fit_epochs
from batchocr.training.run_folder import claim, make_repeatable, resumed
from batchocr.training.trained_model import TrainedModel


@dataclass(frozen=True)
class AddedRecipe:
    """How the training goes on.

    Basis of all: tried on semeion with a model that had not learned from it (`benchmarks/accuracy/learning.py`).
    """

    epochs: int = 4
    """Passes."""
    steps: int = 100
    """Batches of an epoch."""
    batch: int = 128
    """Crops of a batch."""
    rate: float = 2e-4
    """Largest learning rate: a tenth of that of a new training."""
    average: float = 0.99
    """Momentum of the averaged weights, which are the result."""
    added_share: float = 0.2
    """Share of a batch that is corrected crops."""
    between_share: float = 0.15
    """Share of a batch that is crops between two digits, with the answers of the model before."""
    kept_share: float = 0.3
    """Share of the weights before in the weights of the result."""
    held_out: int = 10
    """One out of so many corrected crops is not trained on, and gives the temperature with digits of `data`."""
    seed: int = 2017
    """Seed of all random draws."""


class _Mixed(keras.utils.PyDataset):
    """Batches of known digits, corrected crops and crops between digits; the same for the same seed."""

    def __init__(self, known: Digits, added: Digits, before: keras.Model, recipe: AddedRecipe, first: int) -> None:
        super().__init__()
        self.known, self.added, self.before, self.recipe, self.epoch = known, added, before, recipe, first
        self.classes = np.eye(NOT_A_DIGIT + 1, dtype=np.float32)

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, index: int) -> tuple[Crops, NDArray[np.float32]]:
        r = self.recipe
        rng = np.random.default_rng((r.seed, self.epoch, index))
        added, between = round(r.added_share * r.batch), round(r.between_share * r.batch)
        known = self.known.take(rng.integers(0, len(self.known), r.batch - added - between))
        part = concatenate([known, self.added.take(rng.integers(0, len(self.added), added))])
        images = np.concatenate([augment(part.images, rng), _between(self.known.images, between, rng)])
        answers = np.asarray(self.before(images[len(part) :], training=False), np.float32)
        return images, np.concatenate([self.classes[part.labels], answers])

    def on_epoch_end(self) -> None:
        self.epoch += 1


def _between(images: Crops, count: int, rng: np.random.Generator) -> Crops:
    """Return crops (count, 28, 28) of the place between two digits that stand side by side."""
    left, right = images[rng.integers(0, len(images), count)], images[rng.integers(0, len(images), count)]
    side = images.shape[2]
    pairs = np.concatenate([left, right], axis=2)
    starts = rng.integers(side // 4, 3 * side // 4, count)
    return np.stack([pair[:, start : start + side] for pair, start in zip(pairs, starts, strict=True)])


def load_start(path: Path) -> keras.Model:
    """Return the classifier whose training goes on.

    Raises:
        ModelError: It cannot be loaded, or has other classes or another input than the shipped classifier.
    """
    try:
        model = KerasFile.read(path).load()
    except (OSError, ValueError) as fault:
        raise ModelError(f"{path}: cannot be loaded ({fault}); give a classifier as --start") from fault
    if model.input_shape != (None, 28, 28) or model.output_shape != (None, NOT_A_DIGIT + 1):
        raise ModelError(
            f"{path}: has another input or other classes than the shipped classifier ({NOT_A_DIGIT + 1} classes of "
            "crops of 28 x 28 pixels); give such a classifier as --start"
        )
    return model


def continued(
    start: keras.Model, known: Digits, added: Digits, recipe: AddedRecipe, out: Path, progress: ProgressOptions
) -> keras.Model:
    """Continue the training of a classifier; an interrupted training is resumed.

    Args:
        start: The classifier; it is not changed.
        known: Digits that it knew before, of which batches have most.
        added: Crops with labels 0 to 9, and 10 for not a digit.
        recipe: The recipe.
        out: Folder of the training; each epoch is saved there.
        progress: How progress is reported.

    Returns:
        The trained network, with its averaged weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    make_repeatable(recipe.seed)
    model, epochs = resumed(out)
    batches = _Mixed(known, added, start, recipe, len(epochs))
    if model is None:
        model = keras.models.clone_model(start)
        model.set_weights(start.get_weights())
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False  # its statistics stay those of the large training
        steps = recipe.epochs * recipe.steps
        rate = keras.optimizers.schedules.CosineDecay(recipe.rate, steps)
        model.compile(
            keras.optimizers.AdamW(rate, weight_decay=1e-4, use_ema=True, ema_momentum=recipe.average),
            keras.losses.CategoricalCrossentropy(),
            metrics=["accuracy"],
            jit_compile=False,
        )
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
    clean = keras.models.clone_model(start)
    mixed = zip(start.get_weights(), model.get_weights(), strict=True)
    clean.set_weights([recipe.kept_share * before + (1 - recipe.kept_share) * after for before, after in mixed])
    return clean


def fit_added(
    data: DigitSplits,
    folders: tuple[Path, ...],
    start: Path,
    out: Path,
    recipe: AddedRecipe,
    *,
    resume: bool,
    progress: ProgressOptions,
) -> TrainedModel:
    """Train a classifier further with corrected crops.

    Args:
        data: Digits that it knew before, such as MNIST; its test split is only measured on.
        folders: What `batchocr correct --save-crops` wrote.
        start: The classifier.
        out: Folder of the training.
        recipe: The recipe.
        resume: Whether the training in `out` is resumed.
        progress: How progress is reported.

    Returns:
        The trained network and the sets it is measured on.

    Raises:
        ModelError: The classifier cannot be used.
        UsageError: The data does not fit, or the folder holds another training.
    """
    crops = CorrectedCrops.together([load_corrected_crops(folder) for folder in folders])
    every = crops.all()
    if len(every) < recipe.held_out:
        raise UsageError(f"--add: {len(every)} crops; give at least {recipe.held_out}: correct or confirm more digits")
    before = load_start(start)
    names = [folder.name for folder in folders]
    account = {"system": "added", "data": data.sha256, "add": crops.sha256, "start": start.name, **asdict(recipe)}
    claim(out, account, resume=resume)
    known = data.train_split()
    rng = np.random.default_rng(recipe.seed)
    is_held_out = np.zeros(len(every), np.bool_)
    is_held_out[rng.permutation(len(every))[: max(1, len(every) // recipe.held_out)]] = True
    own, held_out = every.take(np.flatnonzero(~is_held_out)), every.take(np.flatnonzero(is_held_out))
    known_held_out = known.take(slice(-len(known) // 30, None))
    known = known.take(slice(0, -len(known) // 30))
    model = continued(before, known, own, recipe, out, progress)
    return TrainedModel(
        model=model,
        trained_on=own.take(np.flatnonzero(own.labels < NOT_A_DIGIT)),
        count=len(own) + len(known),
        held_out=concatenate([held_out, known_held_out]),
        held_out_name="held_out",
        held_out_description=f"{len(held_out)} corrected crops and {len(known_held_out)} digits of {data.name}",
        other_sets={"held_out_added_accuracy": held_out},
        data=f"{start.name}, and then {len(own)} crops that a person corrected ({', '.join(names)}) with {data.name}",
    )
