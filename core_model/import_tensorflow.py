"""The official DeepLab V3+ of tensorflow/models, and its ImageNet backbones, from their variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch

from core_model.card import WeightsError
from core_model.checkpoint import tensors_of
from core_model.dataset import IGNORE
from core_model.deeplab import DeepLab, build
from core_model.foreign import Say, Stored, filled, silent
from core_model.variants import VARIANTS
from core_model.xception import Backbone, Xception

_SOURCE = "the TensorFlow checkpoint"
_ALIGNED = tuple(name for name, row in VARIANTS.items() if row.family == "aligned")
_LEAVES = {
    "norm.weight": "BatchNorm/gamma",
    "norm.bias": "BatchNorm/beta",
    "norm.running_mean": "BatchNorm/moving_mean",
    "norm.running_var": "BatchNorm/moving_variance",
}
_OF_HEAD = re.compile(r"(aspp\d\w*|image_pooling|concat_projection|decoder)/")
_CLASSIFICATION = re.compile(r"xception_\w+/logits/(weights|biases)$")
_LEFTOVER = re.compile(r"(^|/)(global_step|Momentum|RMSProp(_1)?|Adam(_1)?|ExponentialMovingAverage|beta[12]_power)$")


def variable_name(ours: str, variant: str) -> str:
    """Give the official variable's name of a tensor of ours: `head.aspp.point.conv.weight` → `aspp0/weights`."""
    place, leaf = re.fullmatch(r"(.+?)\.((?:conv|norm)\.\w+|weight|bias)", ours).groups()  # type: ignore[union-attr]
    if place == "head.classifier":
        return f"logits/semantic/{'weights' if leaf == 'weight' else 'biases'}"
    for pattern, official in (
        (r"backbone\.stem\.(\d)", lambda i: f"{variant}/entry_flow/conv1_{int(i) + 1}"),
        (
            r"backbone\.(entry|exit)\.(\d)",
            lambda flow, i: f"{variant}/{flow}_flow/block{int(i) + 1}/unit_1/xception_module",
        ),
        (r"backbone\.middle\.(\d+)", lambda i: f"{variant}/middle_flow/block1/unit_{int(i) + 1}/xception_module"),
        (r"\.separable\.(\d)\.", lambda i: f"/separable_conv{int(i) + 1}_"),
        (r"\.skip", lambda: "/shortcut"),
        (r"head\.aspp\.pooling", lambda: "image_pooling"),
        (r"head\.aspp\.point", lambda: "aspp0"),
        (r"head\.aspp\.atrous\.(\d)\.?", lambda i: f"aspp{int(i) + 1}_"),
        (r"head\.aspp\.projection", lambda: "concat_projection"),
        (r"head\.decoder\.low_level", lambda: "decoder/feature_projection0"),
        (r"head\.decoder\.refine\.(\d)\.", lambda i: f"decoder/decoder_conv{i}_"),
    ):
        place = re.sub(pattern, lambda match, official=official: official(*match.groups()), place)
    depthwise = place.endswith("depthwise")
    return f"{place}/{_LEAVES.get(leaf, 'depthwise_weights' if depthwise else 'weights')}"


def from_tensorflow(
    arrays: Mapping[str, Stored], output_stride: int = 16, say: Say = silent, source: str = _SOURCE
) -> DeepLab:
    """Build the network from the official variables, in evaluation mode.

    arrays: variable name → array in TensorFlow's layout. Variant, classes and decoder follow from names and shapes.
    source: what an error calls it. WeightsError: of another network.
    """
    variant, logits = _variant(arrays), arrays.get("logits/semantic/biases")
    if variant not in _ALIGNED or logits is None:
        raise WeightsError(f"{source} is of another network: no {' or '.join(_ALIGNED)} with logits/semantic in it")
    if len(logits.shape) != 1 or not 1 <= logits.shape[0] <= IGNORE:  # a frozen graph can claim any, for nothing
        raise WeightsError(f"{source} is of another network: logits/semantic/biases has shape {tuple(logits.shape)}")
    row = replace(VARIANTS[variant], decoder=any(name.startswith("decoder/") for name in arrays))
    with torch.device("meta"):
        network = build(row, int(logits.shape[0]), output_stride)
    names = {ours: variable_name(ours, variant) for ours in tensors_of(network)}
    return filled(network, arrays, names, source, lambda name: _LEFTOVER.search(name) is not None, say)


def network_from_tensorflow(
    arrays: Mapping[str, Stored], output_stride: int = 16, say: Say = silent, source: str = _SOURCE
) -> DeepLab | Backbone:
    """Build the network, or the backbone where no logits are a segmentation's (as of ImageNet)."""
    if any(name.startswith("logits/") for name in arrays):
        return from_tensorflow(arrays, output_stride, say, source)
    return backbone_from_tensorflow(arrays, output_stride, say, source)


def backbone_from_tensorflow(
    arrays: Mapping[str, Stored], output_stride: int = 16, say: Say = silent, source: str = _SOURCE
) -> Backbone:
    """Build the backbone from a checkpoint's variables, in evaluation mode; ASPP and any classifier are left out."""
    variant = _variant(arrays)
    if variant not in _ALIGNED:
        raise WeightsError(f"{source} is of another network: no {' or '.join(_ALIGNED)} in it")
    with torch.device("meta"):
        backbone = Xception(VARIANTS[variant], output_stride)
    names = {ours: variable_name(f"backbone.{ours}", variant) for ours in tensors_of(backbone)}

    def leftover(name: str) -> bool:
        return (_LEFTOVER.search(name) or _CLASSIFICATION.match(name) or _OF_HEAD.match(name)) is not None

    return filled(backbone, arrays, names, source, leftover, say)


def _variant(arrays: Mapping[str, Stored]) -> str:
    return next((name.split("/")[0] for name in arrays if "/entry_flow/" in name), "")
