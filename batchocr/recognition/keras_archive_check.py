"""A `.keras` file is looked through for code and for ways to other files before Keras gets it.

Keras's safe_mode alone does not do: it has been got round more than once (CVE-2025-1550, CVE-2025-8747).
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST = 512 * 2**20
"""Bytes of a file. The largest system's weights are 101 million, three times as much with Adam's to go on from."""
LARGEST_CONFIG = 2**20
"""Bytes of its config.json; the shipped model's has 22 thousand."""
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = frozenset({"metadata.json", CONFIG, WEIGHTS})
"""What Keras writes for layers that keep nothing but numbers."""
_MOST_ENTRIES = 100
_ENTRY = b"PK\1\2"
"""What each entry of a zip archive's list begins with."""

MODELS = frozenset({"keras.Sequential", "keras.src.models.functional.Functional"})
_ALLOWED = {
    "keras": "DTypePolicy",
    "keras.layers": "Activation Add Average AveragePooling2D BatchNormalization Concatenate Conv2D Conv2DTranspose "
    "Dense DepthwiseConv2D Dropout ELU Flatten GaussianDropout GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D "
    "GroupNormalization InputLayer LayerNormalization LeakyReLU MaxPooling2D Maximum Multiply PReLU Permute ReLU "
    "Rescaling Reshape SeparableConv2D Softmax SpatialDropout2D Subtract UpSampling2D ZeroPadding2D",
    "keras.initializers": "Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Ones "
    "Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros",
    "keras.regularizers": "L1 L1L2 L2",
    "keras.constraints": "MaxNorm NonNeg UnitNorm",
    # what our own trainings are compiled with
    "keras.losses": "CategoricalCrossentropy",
    "keras.optimizers": "Adam AdamW SGD",
    "keras.optimizers.schedules": "CosineDecay",
}
ALLOWED = MODELS | {f"{module}.{name}" for module, names in _ALLOWED.items() for name in names.split()}
"""All that a model may be made of: it computes, and neither runs what is in the file nor opens others."""
_TENSOR = "__keras_tensor__"
"""How a config.json names what goes from layer to layer; no class."""


class Refused(ValueError):
    """What is wrong with a file, as the end of a sentence that begins with "it"."""


@dataclass(frozen=True)
class KerasFile:
    """The content of a `.keras` file that holds nothing but what is allowed: no other can be made."""

    content: bytes = field(repr=False)
    compiled: bool = False
    """Whether Keras is to read its optimiser and loss as well, to go on training."""

    def __post_init__(self) -> None:
        members = _unpacked(self.content)
        _check_config(members[CONFIG], compiled=self.compiled)
        _check_weights(members[WEIGHTS])

    def load(self) -> Any:
        """The model. Raises whatever Keras raises where it cannot make sense of the file."""
        import keras

        # a copy that nobody else can change; Keras takes names of files only, and only such names
        with tempfile.TemporaryDirectory(prefix="batchocr-") as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(self.content)
            return keras.saving.load_model(path, compile=self.compiled, safe_mode=True)


def read_whole(path: Path, largest: int) -> bytes:
    """The content of a file of no more than `largest` bytes. Raises Refused, OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise Refused(f"has {size:,} bytes, more than the {largest:,} that are read")
        return file.read(size)


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The archive's members by name. Nothing is packed in them, so that together they are no larger than `content`."""
    if content.count(_ENTRY) > _MOST_ENTRIES:  # the list is bounded before it is read
        raise Refused(f"holds more files than {', '.join(sorted(MEMBERS))}")
    with _refusing("no zip archive"), zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        for name in names:
            if name not in MEMBERS:
                raise Refused(f"holds the file {quoted(name)}")
            if names.count(name) > 1:
                raise Refused(f"holds {name} more than once")
        if missing := MEMBERS.difference(names):
            raise Refused(f"holds no {min(missing)}")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise Refused(f"holds {entry.filename} compressed, which Keras does not do")
        return {entry.filename: archive.read(entry) for entry in entries}


def _check_config(content: bytes, *, compiled: bool) -> None:
    """Raises Refused where the network is made of anything but what is allowed."""
    if len(content) > LARGEST_CONFIG:
        raise Refused(f"holds {CONFIG} of {len(content):,} bytes")
    with _refusing(f"{CONFIG} that is no JSON"):
        config = json.loads(content)
    if not isinstance(config, dict) or _named(config) not in MODELS:
        raise Refused("holds no keras.Sequential and no functional keras.Model")
    if not compiled:
        config.pop("compile_config", None)  # Keras does not read it either
    left: list[Any] = [config]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            left += part.values()
            if "class_name" in part and not _is_allowed(part):
                raise Refused(f"holds {quoted(_named(part))}, none of the plain layers that models are made of")


def _named(part: dict[str, Any]) -> str:
    return f"{part.get('module')}.{part.get('class_name')}"


def _is_allowed(part: dict[str, Any]) -> bool:
    name = part["class_name"]
    return name == _TENSOR or (_named(part) in ALLOWED and part.get("registered_name") in (None, name))


def _check_weights(content: bytes) -> None:
    """Raises Refused where the weights are anything but plain numbers in this very file."""
    import h5py

    sizes: list[int] = []

    def elsewhere(name: bytes, link: Any) -> str | None:
        if link.type == h5py.h5l.TYPE_HARD:
            return None
        return f"with a link to elsewhere, {quoted(name.decode(errors='replace'))}"

    def unfit(name: str, held: Any) -> str | None:
        if isinstance(held, h5py.Group):
            return None
        if not isinstance(held, h5py.Dataset) or held.dtype.kind not in "biuf":
            return f"that are no numbers, {quoted(name)}"
        if held.external or held.is_virtual or held.chunks:  # chunks may go through filters, which are code
            return f"that are packed or lie elsewhere, {quoted(name)}"
        sizes.append(held.nbytes)
        return None

    with _refusing(f"{WEIGHTS} that cannot be read"), h5py.File(io.BytesIO(content), "r") as file:
        # both walk each group once, follow no link but hard ones, and stop at the first answer
        if fault := file.id.links.visit(elsewhere, info=True) or file.visititems(unfit):
            raise Refused(f"holds weights {fault}")
    if sum(sizes) > len(content):
        raise Refused(f"holds weights that claim {sum(sizes):,} bytes in {len(content):,}")


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """On a hostile file libraries raise faults of every kind: all of them are refusals."""
    try:
        yield
    except Refused:
        raise
    except Exception as fault:
        raise Refused(f"holds {what} ({quoted(str(fault))})") from fault


def quoted(text: str) -> str:
    """As one line, not too long, that does nothing to a terminal."""
    return ascii(text[:200])
