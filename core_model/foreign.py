"""Weights of other frameworks, brought to this network's names and layout with every name and shape checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core_model.card import WeightsError
from core_model.checkpoint import fill, tensors_of

Module = TypeVar("Module", bound=nn.Module)
Say = Callable[[str], None]
_SHOWN = 6


class Stored(Protocol):
    """An array, or one in a file that has not been read yet."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> Any: ...  # noqa: D102
    def __getitem__(self, key: Any, /) -> Any: ...


def silent(_: str) -> None:
    """Say nothing."""


def kernel_shape(ours: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Give the shape that TensorFlow and Keras store a tensor of ours in.

    (out, in, h, w) → (h, w, in, out); depthwise (C, 1, h, w) → (h, w, C, 1); vectors as they are.
    """
    if len(shape) != 4:
        return shape
    out, channels, h, w = shape
    return (h, w, out, channels) if ours.endswith("depthwise.conv.weight") else (h, w, channels, out)


def translate(
    stored: Mapping[str, Stored],
    names: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
    source: str,
    leftover: Callable[[str], bool],
    say: Say = silent,
    *,
    channels_last: bool = True,
) -> dict[str, NDArray[np.float32]]:
    """Give every tensor of ours from its name in the file, float32, in our layout.

    names: ours → theirs; shapes: ours → our shape; channels_last: kernels as TensorFlow and Keras have them, else as
    torch has them. Nothing is read before its shape and type are right. WeightsError
    names what is missing, extra or misshapen; what `leftover` knows as training's or another head's is told to `say`.
    """
    used = set(names.values())
    extra = sorted(name for name in stored if name not in used)
    faults = [f"{name} does not belong to it" for name in extra if not leftover(name)]
    for ours, theirs in names.items():
        expected = kernel_shape(ours, shapes[ours]) if channels_last else shapes[ours]
        if theirs not in stored:
            faults.append(f"{theirs} is missing")
        elif tuple(stored[theirs].shape) != expected:
            faults.append(f"{theirs} has shape {tuple(stored[theirs].shape)} instead of {expected}")
        elif np.dtype(stored[theirs].dtype).kind != "f":
            faults.append(f"{theirs} holds {stored[theirs].dtype}, not floating-point numbers")
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise WeightsError(f"{source} is of another network: {'; '.join(faults[:3])}{more}")
    if extra:
        say(f"left out, not of this network: {_summary(extra)}")
    values = {ours: np.asarray(stored[theirs][...], np.float32) for ours, theirs in names.items()}
    return {ours: _ours(ours, value) for ours, value in values.items()} if channels_last else values


def filled(
    network: Module,
    stored: Mapping[str, Stored],
    names: Mapping[str, str],
    source: str,
    leftover: Callable[[str], bool],
    say: Say = silent,
    *,
    channels_last: bool = True,
) -> Module:
    """Give a network on torch's meta device the values of a file, see `translate`, and put it in evaluation mode."""
    shapes = {ours: tuple(tensor.shape) for ours, tensor in tensors_of(network).items()}
    translated = translate(stored, names, shapes, source, leftover, say, channels_last=channels_last)
    own = {name: np.require(value, requirements="W") for name, value in translated.items()}  # not views of a file
    fill(network, {name: torch.from_numpy(value) for name, value in own.items()}, source)
    return network.eval()


def _ours(name: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    if value.ndim != 4:
        return value
    order = (2, 3, 0, 1) if name.endswith("depthwise.conv.weight") else (3, 2, 0, 1)
    return np.ascontiguousarray(value.transpose(order))


def _summary(names: Sequence[str]) -> str:
    """Say of many names what they are: by their last word where that is common to many layers, else by the layer."""
    last = Counter(re.split(r"[/.]", name)[-1] for name in names)
    groups: Counter[str] = Counter()
    for name in names:
        layer, word = re.fullmatch(r"(?:(.*)[/.])?([^/.]*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
        common = last[word] > _SHOWN and not word.isdecimal()
        groups[word if common else (layer or name).removesuffix("/vars")] += 1
    shown = [f"{group} ({count})" for group, count in groups.most_common(_SHOWN)]
    return ", ".join(shown) + (f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else "")
