"""Checks of a `.keras` file for code and for links to other files, before Keras loads it.

Keras's own `safe_mode` is not enough: it was bypassed more than once (CVE-2025-1550, CVE-2025-8747).
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


@dataclass(frozen=True)
class KerasFileParameters:
    """Limits on the size of a `.keras` file and of its parts."""

    max_file_bytes: int = 512 * 2**20
    """Size of the file above which it is not read. Basis: the largest network that can be trained has 101 million
    weights of 4 bytes, and the state of the optimiser Adam multiplies that by three."""
    max_config_bytes: int = 2**20
    """Size of `config.json` above which the file is refused. Basis: that of the shipped classifier has 22,000 bytes."""
    max_archive_entries: int = 100
    """Number of entries of the zip archive above which it is refused. Basis: chosen by eye; Keras writes three."""
    max_quoted_characters: int = 200
    """Length of text from a file that a message may quote. Basis: chosen by eye."""


PARAMETERS = KerasFileParameters()

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = frozenset({"metadata.json", CONFIG, WEIGHTS})
"""Members of the archive that Keras writes for layers that store only numbers."""
_ENTRY = b"PK\1\2"
"""Signature of each entry in the central directory of a zip archive."""

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
    # used by the trainings of batchocr
    "keras.losses": "CategoricalCrossentropy",
    "keras.optimizers": "Adam AdamW SGD",
    "keras.optimizers.schedules": "CosineDecay",
}
ALLOWED = MODELS | {f"{module}.{name}" for module, names in _ALLOWED.items() for name in names.split()}
"""All classes that a model may use: they only compute; they neither run code from the file nor open other files."""
_TENSOR = "__keras_tensor__"
"""Name that `config.json` uses for a tensor between layers; it is not a class."""


class Refused(ValueError):
    """A file that must not be loaded. The message is the end of a sentence that begins with "it"."""


@dataclass(frozen=True)
class KerasFile:
    """The content of a `.keras` file that passed all checks. Creating one checks it and raises Refused if it fails."""

    content: bytes = field(repr=False)
    """Bytes of the whole file."""
    compiled: bool = False
    """Whether Keras also loads the optimiser and the loss, to continue a training."""
    parameters: KerasFileParameters = PARAMETERS
    """Limits on sizes."""

    def __post_init__(self) -> None:
        members = _unpack(self.content, self.parameters)
        _check_config(members[CONFIG], compiled=self.compiled, p=self.parameters)
        _check_weights(members[WEIGHTS], self.parameters)

    @classmethod
    def read(cls, path: Path, *, compiled: bool = False, parameters: KerasFileParameters = PARAMETERS) -> KerasFile:
        """Read and check a `.keras` file.

        Args:
            path: The file.
            compiled: Whether `load` also restores the optimiser and the loss.
            parameters: Limits on sizes.

        Returns:
            The checked file.

        Raises:
            Refused: The file is too large or contains anything that is not allowed.
            OSError: The file cannot be read.
        """
        return cls(read_whole(path, parameters.max_file_bytes), compiled, parameters)

    def load(self) -> Any:
        """Build the network.

        Returns:
            The Keras model.

        Raises:
            OSError: The temporary copy that Keras loads cannot be written.
            Exception: Keras cannot build a model from the file; the type depends on the fault.
        """
        import keras

        # Keras loads only from a path that ends with .keras. The file is a private copy of the checked bytes.
        with tempfile.TemporaryDirectory(prefix="batchocr-") as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(self.content)
            return keras.saving.load_model(path, compile=self.compiled, safe_mode=True)


def read_whole(path: Path, max_bytes: int) -> bytes:
    """Read a whole file of limited size.

    Args:
        path: The file.
        max_bytes: Size in bytes above which the file is not read.

    Returns:
        Its content.

    Raises:
        Refused: The file is larger than `max_bytes`.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise Refused(f"has {size:,} bytes, more than the {max_bytes:,} that are read")
        return file.read(size)


def _unpack(content: bytes, p: KerasFileParameters) -> dict[str, bytes]:
    """Return the members of the archive by name. Compressed members are refused, so the result is never larger."""
    if content.count(_ENTRY) > p.max_archive_entries:  # before the central directory is parsed
        raise Refused(f"contains more files than {', '.join(sorted(MEMBERS))}")
    with _refuse_on_error("is not a zip archive", p), zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        for name in names:
            if name not in MEMBERS:
                raise Refused(f"contains the file {quoted(name, p)}")
            if names.count(name) > 1:
                raise Refused(f"contains {name} more than once")
        if missing := MEMBERS.difference(names):
            raise Refused(f"does not contain {min(missing)}")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise Refused(f"contains {entry.filename} in compressed form, which Keras does not write")
        return {entry.filename: archive.read(entry) for entry in entries}


def _check_config(content: bytes, *, compiled: bool, p: KerasFileParameters) -> None:
    """Raise Refused if the network uses any class that is not allowed."""
    if len(content) > p.max_config_bytes:
        raise Refused(f"contains {CONFIG} of {len(content):,} bytes")
    with _refuse_on_error(f"contains {CONFIG} that is not valid JSON", p):
        config = json.loads(content)
    if not isinstance(config, dict) or _class_name(config) not in MODELS:
        raise Refused("contains neither a keras.Sequential nor a functional keras.Model")
    if not compiled:
        config.pop("compile_config", None)  # Keras does not read it either
    pending: list[Any] = [config]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()
            if "class_name" in part and not _is_allowed(part):
                raise Refused(f"contains {quoted(_class_name(part), p)}, which is not one of the allowed plain layers")


def _class_name(part: dict[str, Any]) -> str:
    return f"{part.get('module')}.{part.get('class_name')}"


def _is_allowed(part: dict[str, Any]) -> bool:
    name = part["class_name"]
    return name == _TENSOR or (_class_name(part) in ALLOWED and part.get("registered_name") in (None, name))


def _check_weights(content: bytes, p: KerasFileParameters) -> None:
    """Raise Refused if the weights are not plain arrays of numbers inside this file."""
    import h5py

    sizes: list[int] = []

    def link_fault(name: bytes, link: Any) -> str | None:
        if link.type == h5py.h5l.TYPE_HARD:
            return None
        return f"that link to another place, {quoted(name.decode(errors='replace'), p)}"

    def item_fault(name: str, item: Any) -> str | None:
        if isinstance(item, h5py.Group):
            return None
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
            return f"that are not numbers, {quoted(name, p)}"
        if item.external or item.is_virtual or item.chunks:  # chunks can pass through filters, which are code
            return f"that are compressed or in another file, {quoted(name, p)}"
        sizes.append(item.nbytes)
        return None

    with _refuse_on_error(f"contains {WEIGHTS} that cannot be read", p), h5py.File(io.BytesIO(content), "r") as file:
        # both visit each group once, follow only hard links, and stop at the first fault
        if fault := file.id.links.visit(link_fault, info=True) or file.visititems(item_fault):
            raise Refused(f"contains weights {fault}")
    if sum(sizes) > len(content):
        raise Refused(f"contains weights that claim {sum(sizes):,} bytes in {len(content):,}")


@contextmanager
def _refuse_on_error(message: str, p: KerasFileParameters) -> Iterator[None]:
    """Turn any exception into Refused: libraries raise exceptions of every type on a hostile file."""
    try:
        yield
    except Refused:
        raise
    except Exception as fault:
        raise Refused(f"{message} ({quoted(str(fault), p)})") from fault


def quoted(text: str, parameters: KerasFileParameters = PARAMETERS) -> str:
    """Quote untrusted text for a message.

    Args:
        text: Any text, possibly with control characters.
        parameters: Has the maximum length.

    Returns:
        One line of ASCII in quotes, with escapes for all other characters.
    """
    return ascii(text[: parameters.max_quoted_characters])
