"""A loaded model as one compiled function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 16 << 20
"""Bytes of weights that become constants: with a hundred million the graph takes ten seconds to make."""

Answer = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""What a network says of inputs (n, ...): of crops (n, 28, 28) probabilities (n, classes)."""


def compiled(model: Any, *, xla: bool, policy: str | None = None) -> Answer:
    """A Keras model as a function, which is compiled at its first call; with `xla` again for other numbers of inputs.

    With TensorFlow the weights, unless they are many, are constants in its graph: what depends on them alone is
    computed once, and a batch normalisation goes into the convolution before it. With a `policy` convolutions compute
    in 16 bits, and all after them in 32.
    """
    import keras

    set_policy(model, policy)
    if keras.backend.backend() == "tensorflow" and sum(weight.nbytes for weight in model.get_weights()) <= LARGEST:
        return _with_constants(model, xla)
    model.compile(jit_compile=xla)
    answer: Answer = model.predict_on_batch
    return answer


def set_policy(model: Any, policy: str | None, exact: tuple[str, ...] = ()) -> None:
    """From now on the model's convolutions compute as Keras's `policy` says; as they did where it is None.

    Layers whose names begin as one of `exact` stay as they are.
    """
    if policy is None:
        return
    for layer in model.layers:
        if len(layer.output.shape) == 4 and not layer.name.startswith(exact):  # input, row, column, channel
            layer.dtype_policy = policy


def _with_constants(model: Any, xla: bool) -> Answer:
    import tensorflow as tf

    trained = [np.asarray(weight) for weight in model.trainable_variables]
    others = [np.asarray(weight) for weight in model.non_trainable_variables]

    def answer(inputs: Any) -> Any:
        constants = [[tf.constant(weight) for weight in weights] for weights in (trained, others)]
        return model.stateless_call(*constants, inputs, training=False)[0]

    inputs = tf.TensorSpec(model.input_shape, tf.uint8)
    graph = tf.function(answer, input_signature=[inputs], jit_compile=xla or None, autograph=False)
    return lambda block: np.asarray(graph(block))
