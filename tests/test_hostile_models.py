"""Model files made by an attacker, each with a sidecar that fits: refused in one line, and nothing in them runs."""

from __future__ import annotations

import base64
import hashlib
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
import pytest
from command import Ended, here, rows
from digit_files import digits
from keras import layers

from batchocr.errors import ModelError
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.keras_file import ALLOWED, LARGEST, KerasFile, Refused
from batchocr.recognition.model import DIGITS, read_model, read_sidecar, sha256, shipped_model, sidecar_path
from batchocr.training.catalogue import SYSTEMS
from batchocr.training.zoo import build

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
KERNEL = "layers/dense/vars/0"


@dataclass(frozen=True)
class Prey:
    """A harmless model's parts, and the file that must not appear."""

    members: dict[str, bytes]
    marker: Path

    def config(self) -> Any:
        return json.loads(self.members[CONFIG])

    def with_layer(self, **layer: Any) -> dict[str, bytes]:
        """With one more layer, once the pictures are scaled."""
        return self.with_config(lambda config: config["layers"].insert(2, {"registered_name": None, **layer}))

    def with_config(self, change: Callable[[Any], Any]) -> dict[str, bytes]:
        config = self.config()
        change(config["config"])
        return {**self.members, CONFIG: json.dumps(config).encode()}

    def with_weights(self, change: Callable[[h5py.File], Any]) -> dict[str, bytes]:
        held = io.BytesIO(self.members[WEIGHTS])
        with h5py.File(held, "r+") as file:
            change(file)
        return {**self.members, WEIGHTS: held.getvalue()}


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def put(path: Path, content: bytes) -> Path:
    """The model with a sidecar that says the right sha256."""
    path.write_bytes(content)
    changes = {"sha256": sha256(path), "classes": DIGITS, "calibration": None}
    read_sidecar(shipped_model()).model_copy(update=changes).write(sidecar_path(path))
    return path


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("harmless") / "m.keras"
    pictures = [layers.Input((28, 28), dtype="uint8"), layers.Rescaling(1 / 255)]
    keras.Sequential([*pictures, layers.Flatten(), layers.Dense(10, activation="softmax")]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def prey(harmless: dict[str, bytes], tmp_path: Path) -> Prey:
    return Prey(harmless, tmp_path / "marker")


def run(model: Path, one_digit: Path) -> Ended:
    return here("run", one_digit, "--model", model, "--device", "cpu", "--out", model.with_name("results.csv"))


# What is in the network


def code_of_a_function(prey: Prey) -> dict[str, bytes]:
    """As Keras itself saves it: marshalled bytecode."""
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
    """A Lambda layer that calls what is installed, with arguments from the file: CVE-2025-1550, CVE-2025-8747."""

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
    """Keras reads the vocabulary as it builds the layer."""
    secret = prey.marker.with_name("secret.txt")
    secret.write_text("word\n")
    config = {"name": "s", "vocabulary": str(secret)}
    return prey.with_layer(module="keras.layers", class_name="StringLookup", config=config)


def a_function_to_compile_with(prey: Prey) -> dict[str, bytes]:
    """In a network within, which Keras compiles whatever it was told of the whole."""
    loss = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    inner = {"name": "i", "layers": []}
    compiled = {"optimizer": "sgd", "loss": loss}
    return prey.with_layer(module="keras", class_name="Sequential", config=inner, compile_config=compiled)


def another_registered_name(prey: Prey) -> dict[str, bytes]:
    return prey.with_layer(
        module="keras.layers", class_name="Flatten", config={"name": "x"}, registered_name="Custom>Evil"
    )


def a_layer_in_the_old_form(prey: Prey) -> dict[str, bytes]:
    """Without a module Keras takes another, older way."""
    return prey.with_config(lambda config: config["layers"][1].pop("module"))


def nothing_but_a_layer(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: json.dumps(prey.config()["config"]["layers"][-1]).encode()}


def brackets_without_end(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: b"[" * 500_000}


def a_large_config(prey: Prey) -> dict[str, bytes]:
    return {**prey.members, CONFIG: prey.members[CONFIG] + b" " * 2**20}


NETWORKS: dict[str, tuple[Callable[[Prey], dict[str, bytes]], str]] = {
    "bytecode": (code_of_a_function, "'keras.layers.Lambda', none of the plain layers"),
    "os.system": (a_function_by_name("os", "system", command="touch MARKER"), "'keras.layers.Lambda'"),
    "builtins.exec": (a_function_by_name("builtins", "exec", source="open('MARKER', 'w')"), "'keras.layers.Lambda'"),
    "a download": (
        a_function_by_name("keras.utils", "get_file", fname="MARKER", origin="file:///etc/hostname"),
        "'keras.layers.Lambda'",
    ),
    "a function as activation": (a_function_as_activation, "'builtins.function'"),
    "a module of one's own": (a_module_of_ones_own, "'evil_layers.Layer'"),
    "a graph of TensorFlow": (a_graph_of_tensorflow, "'keras.layers.TFSMLayer'"),
    "a pickle for torch": (a_pickle_for_torch, "holds '"),
    "another file's words": (a_table_from_another_file, "'keras.layers.StringLookup'"),
    "a function to compile with": (a_function_to_compile_with, "'os.function'"),
    "another registered name": (another_registered_name, "'keras.layers.Flatten'"),
    "the old form": (a_layer_in_the_old_form, "'None.Rescaling'"),
    "no network": (nothing_but_a_layer, "holds no keras.Sequential"),
    "brackets without end": (brackets_without_end, "config.json that is no JSON"),
    "a large config": (a_large_config, "config.json of 1,05"),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_of_anything_but_plain_layers_is_refused(
    kind: str, prey: Prey, one_digit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, says = NETWORKS[kind]
    monkeypatch.syspath_prepend(prey.marker.parent)
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    refused(run(model, one_digit), model, says)
    assert not prey.marker.exists()


def refused(ended: Ended, model: Path, says: str) -> None:
    assert ended.code == 5, ended.err
    assert ended.err.startswith(f"batchocr: {model}: ") and says in ended.err
    assert ended.err.count("\n") == 1 and ended.err.removesuffix("\n").isprintable()
    assert not model.with_name("results.csv").exists()


# What is in the archive


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
    "a path out of it": (a_path_out_of_it, "holds the file '../marker'"),
    "a pickle": (a_pickle, "holds the file 'data.pkl'"),
    "pickled weights": (pickled_weights, "holds the file 'model.weights.npz'"),
    "assets": (assets, "holds the file 'assets/vocabulary.txt'"),
    "two configs": (two_configs, "holds config.json more than once"),
    "no weights": (no_weights, "holds no model.weights.h5"),
    "a bomb": (a_bomb, "compressed, which Keras does not do"),
    "very many files": (very_many_files, "holds more files than config.json, metadata.json, model.weights.h5"),
    "escapes for the terminal": (escapes_for_the_terminal, r"holds the file '\x1b[2J\nall is well'"),
    "cut off": (cut_off, "holds no zip archive"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_with_anything_but_its_three_files_is_refused(kind: str, prey: Prey, one_digit: Path) -> None:
    make, says = ARCHIVES[kind]
    model = put(prey.marker.with_name("m.keras"), make(prey))
    refused(run(model, one_digit), model, says)
    assert not prey.marker.exists()


# What is in the weights


def linked(link: Callable[[Path], Any]) -> Callable[[Prey], dict[str, bytes]]:
    """The kernel lies elsewhere: what the file says is there is read."""

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


def kernel(**how: Any) -> Callable[[Prey], dict[str, bytes]]:
    """The kernel made anew."""

    def make(prey: Prey) -> dict[str, bytes]:
        def change(file: h5py.File) -> None:
            del file[KERNEL]
            file.create_dataset(KERNEL, **{"shape": (784, 10), "dtype": np.float32, **how})

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
    """The circle is walked once; the text is what is wrong."""

    def change(file: h5py.File) -> None:
        file["layers/dense/again"] = file["layers"]
        file["text"] = "no number"

    return prey.with_weights(change)


HELD: dict[str, tuple[Callable[[Prey], dict[str, bytes]], str]] = {
    "an external link": (linked(lambda secret: h5py.ExternalLink(str(secret), "held")), "a link to elsewhere"),
    "a soft link": (linked(lambda _: h5py.SoftLink("/elsewhere")), "a link to elsewhere"),
    "raw bytes of another file": (kernel(external=[("/etc/passwd", 0, 31_360)]), "packed or lie elsewhere"),
    "a window on another file": (a_window_on_another_file, "packed or lie elsewhere"),
    "packed": (kernel(compression="gzip"), "packed or lie elsewhere"),
    "far more than is there": (kernel(shape=(2**25, 10)), "claim 1,342,177,320 bytes"),
    "text": (text_in_a_circle, "no numbers, 'text'"),
    "references": (kernel(dtype=h5py.ref_dtype), "no numbers"),
    "no HDF5": (lambda prey: {**prey.members, WEIGHTS: b"weights"}, "model.weights.h5 that cannot be read"),
}


@pytest.mark.parametrize("kind", HELD)
def test_weights_that_are_not_plain_numbers_in_the_file_are_refused(kind: str, prey: Prey, one_digit: Path) -> None:
    make, says = HELD[kind]
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    refused(run(model, one_digit), model, says)


# Sizes, and what lies between check and use


def test_a_file_too_large_for_a_model_is_not_read(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    os.truncate(model, LARGEST + 1)
    refused(run(model, one_digit), model, "has 536,870,913 bytes, more than the 536,870,912 that are read")


def test_a_sidecar_too_large_is_not_read(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    os.truncate(sidecar_path(model), 2**30)
    refused(run(model, one_digit), model.with_suffix(".json"), "more than the 1,048,576 that are read")


def test_a_sidecar_that_is_a_pipe_is_not_waited_for(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    sidecar_path(model).unlink()
    os.mkfifo(sidecar_path(model))
    refused(run(model, one_digit), model.with_suffix(".json"), "the model's sidecar is missing")


def test_what_was_checked_is_what_is_loaded(prey: Prey) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    _, file = read_model(model)
    model.write_bytes(packed(code_of_a_function(prey)))
    assert file.load().output_shape == (None, 10)


def test_no_copy_is_left_behind(prey: Prey, monkeypatch: pytest.MonkeyPatch) -> None:
    room = prey.marker.with_name("room")
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    Classifier(put(prey.marker.with_name("m.keras"), packed(prey.members)), device="cpu")
    assert not list(room.iterdir())


def test_where_no_copy_can_be_made_the_mend_is_told(prey: Prey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(prey.marker.with_name("none")))
    with pytest.raises(ModelError, match=r"no copy can be made .*No such file.*set TMPDIR to another folder"):
        Classifier(put(prey.marker.with_name("m.keras"), packed(prey.members)), device="cpu")


def an_input_without_shape(prey: Prey) -> dict[str, bytes]:
    config = prey.config()
    config.pop("build_config")
    config["config"].pop("build_input_shape")
    config["config"]["layers"].pop(0)
    return {**prey.members, CONFIG: json.dumps(config).encode()}


@pytest.mark.parametrize("make", [kernel(shape=(3, 4)), an_input_without_shape])
def test_what_keras_stumbles_over_is_told_in_one_line(make: Callable[[Prey], dict[str, bytes]], prey: Prey) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    with pytest.raises(ModelError, match=r"m\.keras: Keras .* cannot load it \(.*\); choose another model$"):
        Classifier(model, device="cpu")


# What trainings read


def test_a_training_goes_on_from_nothing_but_plain_layers(prey: Prey) -> None:
    data, out = prey.marker.with_name("digits.npz"), prey.marker.with_name("run")
    given = digits(600)
    np.savez(data, x_train=given.pictures, y_train=given.labels)
    train = ("train", "--system", "softmax-15", "--data", data, "--out", out)
    assert here(*train, "--epochs", "1").code == 0
    (out / "epoch-001.keras").write_bytes(packed(a_function_by_name("os", "system", command="touch MARKER")(prey)))
    ended = here(*train, "--epochs", "2", "--resume")
    assert ended.code == 2
    assert "epoch-001.keras: cannot be gone on with (holds 'keras.layers.Lambda'" in ended.err
    assert not prey.marker.exists()


def test_digits_with_a_pickle_in_them_are_no_data(prey: Prey) -> None:
    data = prey.marker.with_name("digits.npz")
    pickled: Any = {"x": np.array([Touch(prey.marker)], dtype=object), "y": np.zeros(1, np.uint8)}
    np.savez(data, **pickled)
    ended = here("evaluate", "--data", data)
    assert ended.code == 2 and str(data) in ended.err
    assert not prey.marker.exists()


# What is not refused


def test_the_harmless_model_is_read(prey: Prey, one_digit: Path) -> None:
    """So that what is refused above is refused for the attack in it."""
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    ended = run(model, one_digit)
    assert ended.code == 0, ended.err
    assert len(rows(model.with_name("results.csv"))) <= 1


def test_a_network_of_ones_own_is_read(tmp_path: Path, one_digit: Path) -> None:
    """Of many kinds of layers, with branches, a network within, and compiled with a function of one's own."""
    pictures = layers.Input((28, 28), dtype="uint8")
    x = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 255)(pictures))
    x = layers.SeparableConv2D(8, 3, depthwise_initializer="he_normal")(layers.GaussianNoise(0.1)(x))
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    inner = keras.Sequential([layers.Conv2D(8, 3, padding="same", kernel_regularizer="l2"), layers.PReLU()])
    x = layers.Concatenate()([layers.Add()([x, inner(x)]), layers.SpatialDropout2D(0.2)(x)])
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(layers.Activation("gelu")(x)))
    x = layers.Dense(16, kernel_constraint=keras.constraints.MaxNorm(2))(layers.LayerNormalization()(x))
    model = keras.Model(pictures, layers.Softmax()(layers.Dense(10)(layers.Dropout(0.5)(x))))
    model.compile("rmsprop", loss=lambda true, found: keras.ops.mean(true - found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.keras")
    path = put(tmp_path / "m.keras", (tmp_path / "m.keras").read_bytes())
    assert run(path, one_digit).code == 0
    given = digits(20).pictures
    assert np.allclose(np.asarray(read_model(path)[1].load()(given)), np.asarray(model(given)), atol=1e-6)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_of_plain_layers(name: str, tmp_path: Path) -> None:
    model = build(name)
    model.save(tmp_path / "m.keras")
    loaded = KerasFile((tmp_path / "m.keras").read_bytes()).load()
    given = digits(3).pictures
    assert np.allclose(np.asarray(loaded(given)), np.asarray(model(given)), atol=1e-6)


def test_what_is_allowed_is_keras_own_and_keeps_no_other_files() -> None:
    for name in ALLOWED - {"keras.src.models.functional.Functional"}:
        found: Any = keras
        for part in name.split(".")[1:]:
            found = getattr(found, part)
        assert isinstance(found, type) and found.__module__.startswith("keras.src."), name
        assert not hasattr(found, "load_assets"), name


def test_the_shipped_model_is_refused_with_one_byte_more_in_its_archive() -> None:
    content = shipped_model().read_bytes()
    assert hashlib.sha256(KerasFile(content).content).hexdigest() == read_sidecar(shipped_model()).sha256
    held = io.BytesIO(content)
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("x", b"")
    with pytest.raises(Refused, match="holds the file 'x'"):
        KerasFile(held.getvalue())
