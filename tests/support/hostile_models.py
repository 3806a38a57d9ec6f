"""Attacks on programs that load `.keras` files, in the network, the archive or the weights, and the message of each."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
KERNEL = "layers/dense/vars/0"


@dataclass(frozen=True)
class Prey:
    """The archive members of a harmless model, and the marker file that must not appear."""

    members: dict[str, bytes]
    marker: Path

    def config(self) -> Any:
        """Return the network's configuration."""
        return json.loads(self.members[CONFIG])

    def with_layer(self, **layer: Any) -> dict[str, bytes]:
        """Return the members with an additional layer after the scaling."""
        return self.with_config(lambda config: config["layers"].insert(2, {"registered_name": None, **layer}))

    def with_config(self, change: Callable[[Any], Any]) -> dict[str, bytes]:
        """Return the members with a changed configuration."""
        config = self.config()
        change(config["config"])
        return {**self.members, CONFIG: json.dumps(config).encode()}

    def with_weights(self, change: Callable[[h5py.File], Any]) -> dict[str, bytes]:
        """Return the members with changed weights."""
        held = io.BytesIO(self.members[WEIGHTS])
        with h5py.File(held, "r+") as file:
            change(file)
        return {**self.members, WEIGHTS: held.getvalue()}


class Touch:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive of the members."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


# Attacks in the network


def code_of_a_function(prey: Prey) -> dict[str, bytes]:
    """A Lambda layer with marshalled bytecode, as Keras saves it."""
    marker = str(prey.marker)
    path = prey.marker.with_name("lambda.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inner = layers.Lambda(lambda x: (os.system(f"touch {marker}"), x)[1])
        keras.Sequential([layers.Input((28, 28)), inner, layers.Flatten(), layers.Dense(10)]).save(path)
    prey.marker.unlink(missing_ok=True)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def a_function_by_name(module: str, name: str, **arguments: Any) -> Callable[[Prey], dict[str, bytes]]:
    """A Lambda layer that calls an installed function with arguments of the file: CVE-2025-1550, CVE-2025-8747."""

    def make(prey: Prey) -> dict[str, bytes]:
        given = {key: str(value).replace("MARKER", str(prey.marker)) for key, value in arguments.items()}
        function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        config = {"name": "f", "function": function, "arguments": given, "output_shape": [28, 28]}
        return prey.with_layer(module="keras.layers", class_name="Lambda", config=config)

    return make


def a_function_as_activation(prey: Prey) -> dict[str, bytes]:
    def change(config: Any) -> None:
        config["layers"][-1]["config"]["activation"] = {
            "module": "builtins",
            "class_name": "function",
            "config": "exec",
            "registered_name": "exec",
        }

    return prey.with_config(change)


def a_module_of_ones_own(prey: Prey) -> dict[str, bytes]:
    prey.marker.with_name("evil_layers.py").write_text(f"open({str(prey.marker)!r}, 'w')")
    return prey.with_layer(module="evil_layers", class_name="Layer", config={"name": "x"}, registered_name="Layer")


def a_graph_of_tensorflow(prey: Prey) -> dict[str, bytes]:
    """A TFSMLayer over a saved graph that writes a file."""
    import tensorflow as tf

    class Writer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 28, 28), tf.float32)])  # type: ignore[untyped-decorator]
        def write(self, x: Any) -> Any:
            tf.io.write_file(str(prey.marker), "x")
            return x

    folder = str(prey.marker.with_name("graph"))
    tf.saved_model.save(Writer(), folder)
    config = {"name": "t", "filepath": folder, "call_endpoint": "write"}
    return prey.with_layer(module="keras.layers", class_name="TFSMLayer", config=config)


def a_pickle_for_torch(prey: Prey) -> dict[str, bytes]:
    held = base64.b64encode(pickle.dumps(Touch(prey.marker))).decode()
    config = {"name": "p", "module": {"class_name": "__bytes__", "config": {"value": held}}}
    return prey.with_layer(module="keras.layers", class_name="TorchModuleWrapper", config=config)


def a_table_from_another_file(prey: Prey) -> dict[str, bytes]:
    """A layer whose vocabulary is another file, which Keras reads when it builds the layer."""
    secret = prey.marker.with_name("secret.txt")
    secret.write_text("word\n")
    config = {"name": "s", "vocabulary": str(secret)}
    return prey.with_layer(module="keras.layers", class_name="StringLookup", config=config)


def a_function_to_compile_with(prey: Prey) -> dict[str, bytes]:
    """A loss function in a nested network, which Keras compiles even if the whole model is not compiled."""
    loss = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    inner = {"name": "i", "layers": []}
    compiled = {"optimizer": "sgd", "loss": loss}
    return prey.with_layer(module="keras", class_name="Sequential", config=inner, compile_config=compiled)


def another_registered_name(prey: Prey) -> dict[str, bytes]:
    return prey.with_layer(
        module="keras.layers", class_name="Flatten", config={"name": "x"}, registered_name="Custom>Evil"
    )


def a_layer_in_the_old_form(prey: Prey) -> dict[str, bytes]:
    """A layer without module, for which Keras uses an older code path."""
    return prey.with_config(lambda config: config["layers"][1].pop("module"))


def nothing_but_a_layer(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: json.dumps(prey.config()["config"]["layers"][-1]).encode()}


def brackets_without_end(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: b"[" * 500_000}


def a_large_config(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: prey.members[CONFIG] + b" " * 2**20}


NETWORKS: dict[str, tuple[Callable[[Prey], dict[str, bytes]], str]] = {
    "bytecode": (code_of_a_function, "'keras.layers.Lambda', which is not one of the allowed plain layers"),
    "os.system": (a_function_by_name("os", "system", command="touch MARKER"), "'keras.layers.Lambda'"),
    "builtins.exec": (a_function_by_name("builtins", "exec", source="open('MARKER', 'w')"), "'keras.layers.Lambda'"),
    "a download": (
        a_function_by_name("keras.utils", "get_file", fname="MARKER", origin="file:///etc/hostname"),
        "'keras.layers.Lambda'",
    ),
    "a function as activation": (a_function_as_activation, "'builtins.function'"),
    "a module of one's own": (a_module_of_ones_own, "'evil_layers.Layer'"),
    "a graph of TensorFlow": (a_graph_of_tensorflow, "'keras.layers.TFSMLayer'"),
    "a pickle for torch": (a_pickle_for_torch, "contains '"),
    "another file's words": (a_table_from_another_file, "'keras.layers.StringLookup'"),
    "a function to compile with": (a_function_to_compile_with, "'os.function'"),
    "another registered name": (another_registered_name, "'keras.layers.Flatten'"),
    "the old form": (a_layer_in_the_old_form, "'None.Rescaling'"),
    "no network": (nothing_but_a_layer, "contains neither a keras.Sequential"),
    "brackets without end": (brackets_without_end, "config.json that is not valid JSON"),
    "a large config": (a_large_config, "config.json of 1,05"),
}


# Attacks in the archive


def a_path_out_of_it(prey: Prey) -> bytes:
    return packed({**prey.members, "../marker": b"x"})


def a_pickle(prey: Prey) -> bytes:
    return packed({**prey.members, "data.pkl": pickle.dumps(Touch(prey.marker))})


def pickled_weights(prey: Prey) -> bytes:
    held = io.BytesIO()
    weights: Any = {"layers/dense/vars": np.array({"0": Touch(prey.marker)}, dtype=object)}
    np.savez(held, **weights)
    kept = {name: content for name, content in prey.members.items() if name != WEIGHTS}
    return packed({**kept, "model.weights.npz": held.getvalue()})


def assets(prey: Prey) -> bytes:
    return packed({**prey.members, "assets/vocabulary.txt": b"x"})


def two_configs(prey: Prey) -> bytes:
    held = io.BytesIO(packed(prey.members))
    with warnings.catch_warnings(), zipfile.ZipFile(held, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(CONFIG, prey.members[CONFIG])
    return held.getvalue()


def no_weights(prey: Prey) -> bytes:
    return packed({name: content for name, content in prey.members.items() if name != WEIGHTS})


def a_bomb(prey: Prey) -> bytes:
    return packed({**prey.members, WEIGHTS: bytes(100 * 2**20)}, zipfile.ZIP_DEFLATED)


def very_many_files(prey: Prey) -> bytes:
    return packed({**prey.members, **{f"{i}": b"" for i in range(50_000)}})


def escapes_for_the_terminal(prey: Prey) -> bytes:
    return packed({**prey.members, "\x1b[2J\nall is well": b""})


def cut_off(prey: Prey) -> bytes:
    return packed(prey.members)[:-30]


ARCHIVES: dict[str, tuple[Callable[[Prey], bytes], str]] = {
    "a path out of it": (a_path_out_of_it, "contains the file '../marker'"),
    "a pickle": (a_pickle, "contains the file 'data.pkl'"),
    "pickled weights": (pickled_weights, "contains the file 'model.weights.npz'"),
    "assets": (assets, "contains the file 'assets/vocabulary.txt'"),
    "two configs": (two_configs, "contains config.json more than once"),
    "no weights": (no_weights, "does not contain model.weights.h5"),
    "a bomb": (a_bomb, "in compressed form, which Keras does not write"),
    "very many files": (very_many_files, "contains more files than config.json, metadata.json, model.weights.h5"),
    "escapes for the terminal": (escapes_for_the_terminal, r"contains the file '\x1b[2J\nall is well'"),
    "cut off": (cut_off, "is not a zip archive"),
}


# Attacks in the weights


def linked(link: Callable[[Path], Any]) -> Callable[[Prey], dict[str, bytes]]:
    """Weights with a link in place of the kernel."""

    def make(prey: Prey) -> dict[str, bytes]:
        secret = prey.marker.with_name("secret.h5")
        with h5py.File(secret, "w") as file:
            file["held"] = np.ones((784, 10), np.float32)

        def change(file: h5py.File) -> None:
            file["elsewhere"] = file[KERNEL][:]
            del file[KERNEL]
            file[KERNEL] = link(secret)

        return prey.with_weights(change)

    return make


def kernel(**options: Any) -> Callable[[Prey], dict[str, bytes]]:
    """Weights with a new kernel."""

    def make(prey: Prey) -> dict[str, bytes]:
        def change(file: h5py.File) -> None:
            del file[KERNEL]
            file.create_dataset(KERNEL, **{"shape": (784, 10), "dtype": np.float32, **options})

        return prey.with_weights(change)

    return make


def a_window_on_another_file(prey: Prey) -> dict[str, bytes]:
    def change(file: h5py.File) -> None:
        del file[KERNEL]
        layout = h5py.VirtualLayout((784, 10), np.float32)
        layout[:] = h5py.VirtualSource(str(prey.marker.with_name("secret.h5")), "held", (784, 10))
        file.create_virtual_dataset(KERNEL, layout)

    return prey.with_weights(change)


def text_in_a_circle(prey: Prey) -> dict[str, bytes]:
    """Weights with a cycle of groups, which is allowed, and a text, which is not."""

    def change(file: h5py.File) -> None:
        file["layers/dense/again"] = file["layers"]
        file["text"] = "no number"

    return prey.with_weights(change)


HELD: dict[str, tuple[Callable[[Prey], dict[str, bytes]], str]] = {
    "an external link": (linked(lambda secret: h5py.ExternalLink(str(secret), "held")), "that link to another place"),
    "a soft link": (linked(lambda _: h5py.SoftLink("/elsewhere")), "that link to another place"),
    "raw bytes of another file": (kernel(external=[("/etc/passwd", 0, 31_360)]), "compressed or in another file"),
    "a window on another file": (a_window_on_another_file, "compressed or in another file"),
    "packed": (kernel(compression="gzip"), "compressed or in another file"),
    "far more than is there": (kernel(shape=(2**25, 10)), "claim 1,342,177,320 bytes"),
    "text": (text_in_a_circle, "that are not numbers, 'text'"),
    "references": (kernel(dtype=h5py.ref_dtype), "that are not numbers"),
    "no HDF5": (lambda prey: {**prey.members, WEIGHTS: b"weights"}, "model.weights.h5 that cannot be read"),
}


# Faults without an attack


def an_input_without_shape(prey: Prey) -> dict[str, bytes]:
    config = prey.config()
    config.pop("build_config")
    config["config"].pop("build_input_shape")
    config["config"]["layers"].pop(0)
    return {**prey.members, CONFIG: json.dumps(config).encode()}
