"""The official DeepLab V3+ of tensorflow/models: its variables' names, and the network built from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core_model.archive import read_archive
from core_model.card import WeightsError
from core_model.checkpoint import fill, tensors_of
from core_model.dataset import IGNORE
from core_model.deeplab import DeepLab, build
from core_model.foreign import Say, Stored, silent, translate
from core_model.frozen_graph import read_graph
from core_model.tensorflow_bundle import is_bundle, read_bundle
from core_model.variants import VARIANTS

_LEAVES = {
    "norm.weight": "BatchNorm/gamma",
    "norm.bias": "BatchNorm/beta",
    "norm.running_mean": "BatchNorm/moving_mean",
    "norm.running_var": "BatchNorm/moving_variance",
}
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


def read_tensorflow(path: Path | str) -> Mapping[str, Stored]:
    """Open a checkpoint, a frozen graph (`.pb`) or the model zoo's `.tar.gz`: variable name → array.

    WeightsError: damaged, hostile, or none of these.
    """
    path = Path(path)
    if path.name.endswith((".tar.gz", ".tgz")):
        return read_archive(path)
    if path.suffix == ".pb":
        return read_graph(path)
    if is_bundle(path):
        return read_bundle(path)
    raise WeightsError(f"{path} is no TensorFlow checkpoint, frozen graph (.pb) or archive of the model zoo (.tar.gz)")


def from_tensorflow(arrays: Mapping[str, Stored], output_stride: int = 16, say: Say = silent) -> DeepLab:
    """Build the network from the official variables, in evaluation mode.

    arrays: variable name → array in TensorFlow's layout. Variant, classes and decoder follow from names and shapes.
    """
    source = "the TensorFlow checkpoint"
    variant = next((name.split("/")[0] for name in arrays if "/entry_flow/" in name), "")
    logits = arrays.get("logits/semantic/biases")
    if variant not in VARIANTS or logits is None:
        raise WeightsError(f"{source} is of another network: no {' or '.join(VARIANTS)} with logits/semantic in it")
    if len(logits.shape) != 1 or not 1 <= logits.shape[0] <= IGNORE:  # a frozen graph can claim any, for nothing
        raise WeightsError(f"{source} is of another network: logits/semantic/biases has shape {tuple(logits.shape)}")
    row = replace(VARIANTS[variant], decoder=any(name.startswith("decoder/") for name in arrays))
    with torch.device("meta"):
        network = build(row, int(logits.shape[0]), output_stride)
    wanted = tensors_of(network)
    translated = translate(
        arrays,
        {ours: variable_name(ours, variant) for ours in wanted},
        {ours: tuple(tensor.shape) for ours, tensor in wanted.items()},
        source,
        lambda name: _LEFTOVER.search(name) is not None,
        say,
    )
    own = {name: np.require(value, requirements="W") for name, value in translated.items()}  # not views of a file
    fill(network, {name: torch.from_numpy(value) for name, value in own.items()}, source)
    return network.eval()
