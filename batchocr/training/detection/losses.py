"""The detector's loss: heat of digits, boxes and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

TARGET_CHANNELS = 9
"""Channels of a cell's target: three heats, four sides, the class, and the weight of sides and class."""


@dataclass(frozen=True)
class LossParameters:
    """How the parts of the loss are weighted.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    box_weight: float = 1.5
    """Weight of the boxes' loss; that of the heat is 1."""
    class_weight: float = 1.0
    """Weight of the classes' loss."""
    focus_power: int = 2
    """Power that makes cells count less if they are answered right (focal loss; CornerNet, eq. 1: alpha)."""
    near_power: int = 4
    """Power that makes cells near a centre count less (CornerNet, eq. 1: beta)."""


PARAMETERS = LossParameters()
STRIDE_CELLS = ((4, 16), (8, 4), (16, 1))
"""Strides, and the number of cells of each per cell of the coarsest one."""


def strides_of(cells: int) -> list[int]:
    """Return the stride of each cell of a square tile with this many cells."""
    coarsest = cells // sum(share for _, share in STRIDE_CELLS)
    return [stride for stride, share in STRIDE_CELLS for _ in range(coarsest * share)]


def detection_loss(target: Any, answer: Any) -> Any:
    """Return the loss of a batch.

    Heat: focal loss, reduced near a centre (CornerNet: Law and Deng, 2018, eq. 1; CenterNet: Zhou and others, 2019).
    Boxes: generalised intersection over union (Rezatofighi and others, 2019). Classes: cross-entropy.

    Args:
        target: Targets (n, cells, TARGET_CHANNELS).
        answer: Answers of the network (n, cells, CHANNELS).

    Returns:
        The loss of the batch, repeated (n,).
    """
    target = ops.cast(target, "float32")
    return ops.repeat(ops.reshape(sum(_parts(target, answer)), (1,)), ops.shape(target)[0])


def _parts(target: Any, answer: Any) -> tuple[Any, Any, Any]:
    heat, sides, label, weight = target[..., :3], target[..., 3:7], target[..., 7], target[..., 8]
    return (
        _heat_loss(heat, answer[..., :3]),
        PARAMETERS.box_weight * _box_loss(sides, answer[..., 3:7], weight),
        PARAMETERS.class_weight * _class_loss(label, answer[..., 7:], weight),
    )


def heat_part(target: Any, answer: Any) -> Any:
    return _parts(ops.cast(target, "float32"), answer)[0]


def box_part(target: Any, answer: Any) -> Any:
    return _parts(ops.cast(target, "float32"), answer)[1]


def class_accuracy(target: Any, answer: Any) -> Any:
    """Return the share of the cells that learn a class which answer it right."""
    target = ops.cast(target, "float32")
    right = ops.cast(ops.argmax(answer[..., 7:], axis=-1), "float32") == target[..., 7]
    return ops.sum(ops.cast(right, "float32") * target[..., 8]) / ops.maximum(ops.sum(target[..., 8]), 1.0)


def _heat_loss(heat: Any, logit: Any) -> Any:
    score = ops.clip(ops.sigmoid(logit), 1e-5, 1 - 1e-5)
    middle = ops.cast(heat >= 0.999, "float32")
    counted = ops.cast(heat >= 0, "float32")
    near = (1 - ops.maximum(heat, 0.0)) ** PARAMETERS.near_power
    of_middle = middle * (1 - score) ** PARAMETERS.focus_power * ops.log(score)
    of_rest = (1 - middle) * counted * near * score**PARAMETERS.focus_power * ops.log(1 - score)
    return -ops.sum(of_middle + of_rest) / ops.maximum(ops.sum(middle), 1.0)


def _box_loss(sides: Any, raw: Any, weight: Any) -> Any:
    cells = raw.shape[1]
    stride = ops.reshape(ops.convert_to_tensor(strides_of(cells), "float32"), (1, cells, 1))
    found = ops.softplus(raw) * 2.0 * stride
    inner, outer = ops.minimum(found, sides), ops.maximum(found, sides)
    shared = _area(inner)
    union = _area(found) + _area(sides) - shared
    around = ops.maximum(_area(outer), 1e-3)
    giou = shared / ops.maximum(union, 1e-3) - (around - union) / around
    return ops.sum((1 - giou) * weight) / ops.maximum(ops.sum(weight), 1.0)


def _area(sides: Any) -> Any:
    """Return the area of boxes that are given by the distances of their sides from a point inside."""
    width = ops.maximum(sides[..., 0] + sides[..., 2], 0.1)
    return width * ops.maximum(sides[..., 1] + sides[..., 3], 0.1)


def _class_loss(label: Any, logits: Any, weight: Any) -> Any:
    log_likelihood = ops.log_softmax(logits, axis=-1)
    one_hot = ops.one_hot(ops.cast(label, "int32"), logits.shape[-1], dtype="float32")
    return -ops.sum(ops.sum(one_hot * log_likelihood, axis=-1) * weight) / ops.maximum(ops.sum(weight), 1.0)
