"""Weights of other frameworks, brought to this network's names and layout with every name and shape checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core_model.card import WeightsError

Say = Callable[[str], None]


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
) -> dict[str, NDArray[np.float32]]:
    """Give every tensor of ours from its name in the file, float32, in our layout.

    names: ours → theirs; shapes: ours → our shape. Nothing is read before its shape and type are right. WeightsError
    names what is missing, extra or misshapen; what `leftover` knows as training's or another head's is told to `say`.
    """
    used = set(names.values())
    extra = sorted(name for name in stored if name not in used)
    faults = [f"{name} does not belong to it" for name in extra if not leftover(name)]
    for ours, theirs in names.items():
        expected = kernel_shape(ours, shapes[ours])
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
    return {ours: _ours(ours, np.asarray(stored[theirs][...], np.float32)) for ours, theirs in names.items()}


def _ours(name: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    if value.ndim != 4:
        return value
    order = (2, 3, 0, 1) if name.endswith("depthwise.conv.weight") else (3, 2, 0, 1)
    return np.ascontiguousarray(value.transpose(order))


def _summary(names: Iterable[str]) -> str:
    groups: dict[str, int] = {}
    for name in names:
        group = name.rpartition("/")[0].removesuffix("/vars") or name
        groups[group] = groups.get(group, 0) + 1
    shown = [f"{group} ({count})" for group, count in list(groups.items())[:6]]
    return ", ".join(shown) + (f" and {len(groups) - 6} more" if len(groups) > 6 else "")
