"""Compilation of a loaded Keras model into one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GraphParameters:
    """How a model is compiled."""

    max_constant_bytes: int = 16 << 20
    """Size of all weights up to which they become constants of TensorFlow's graph. Basis: with 100 million weights the
    graph takes ten seconds to build."""


PARAMETERS = GraphParameters()

InferenceFunction = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Function from inputs (n, ...) to the network's outputs (n, ...)."""


def compile_model(
    model: Any, *, xla: bool, policy: str | None = None, parameters: GraphParameters = PARAMETERS
) -> InferenceFunction:
    """Make a function from a Keras model. It is compiled at its first call, with XLA again for each new input shape.

    With TensorFlow, weights up to a limit become constants of the graph. TensorFlow then computes what depends only on
    them once, and merges a batch normalisation into the convolution before it.

    Args:
        model: The Keras model. Its layers change if a policy is given.
        xla: Whether XLA compiles it.
        policy: Keras dtype policy of the convolutions, such as `mixed_float16`; None keeps that of the model.
        parameters: Has the limit for constants.

    Returns:
        The function.
    """
    import keras

    set_policy(model, policy)
    size = sum(weight.nbytes for weight in model.get_weights())
    if keras.backend.backend() == "tensorflow" and size <= parameters.max_constant_bytes:
        return _with_constant_weights(model, xla)
    model.compile(jit_compile=xla)
    predict: InferenceFunction = model.predict_on_batch
    return predict


def set_policy(model: Any, policy: str | None, excluded_prefixes: tuple[str, ...] = ()) -> None:
    """Set the dtype policy of a model's layers with image output (4 dimensions), such as convolutions.

    Args:
        model: The Keras model, which is changed.
        policy: Keras dtype policy; None changes nothing.
        excluded_prefixes: Layers whose names begin with one of these keep their policy.
    """
    if policy is None:
        return
    for layer in model.layers:
        if len(layer.output.shape) == 4 and not layer.name.startswith(excluded_prefixes):
            layer.dtype_policy = policy


def _with_constant_weights(model: Any, xla: bool) -> InferenceFunction:
    """Make a TensorFlow function in which all weights are constants."""
    import tensorflow as tf

    trainable = [np.asarray(weight) for weight in model.trainable_variables]
    non_trainable = [np.asarray(weight) for weight in model.non_trainable_variables]

    def call(inputs: Any) -> Any:
        constants = [[tf.constant(weight) for weight in weights] for weights in (trainable, non_trainable)]
        return model.stateless_call(*constants, inputs, training=False)[0]

    signature = tf.TensorSpec(model.input_shape, tf.uint8)
    graph = tf.function(call, input_signature=[signature], jit_compile=xla or None, autograph=False)
    return lambda inputs: np.asarray(graph(inputs))
