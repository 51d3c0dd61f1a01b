"""PyTorch state dicts of this very network: names as its own modules have them, alone or under a training script's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.card import WeightsError
from core_model.checkpoint import tensors_of
from core_model.dataset import IGNORE
from core_model.deeplab import DeepLab
from core_model.foreign import Say, Stored, filled, silent
from core_model.heads import AsppDecoderHead, Head, LinearHead
from core_model.variants import VARIANTS, Variant
from core_model.xception import Backbone, Xception

_ROW = "head.classifier.weight"


@dataclass(frozen=True)
class TorchTensor:
    """A tensor of a state dict, turned into float32 numbers when it is used."""

    tensor: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape in torch's layout."""
        return tuple(self.tensor.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 for any floating-point type, which numpy may not know (bfloat16), else bytes."""
        return np.dtype(np.float32 if self.tensor.is_floating_point() else np.uint8)

    def __getitem__(self, key: Any, /) -> NDArray[np.float32]:
        """Read the values."""
        return self.tensor.detach().float().numpy()[key]  # type: ignore[no-any-return]


def of_torch(tensors: Mapping[str, Tensor]) -> dict[str, Stored]:
    """Make tensors ready for `foreign.translate`, without the prefix `module.` that data parallelism puts first."""
    return {name.removeprefix("module."): TorchTensor(tensor) for name, tensor in tensors.items()}


def is_counter(name: str) -> bool:
    """Whether it counts a normalisation's steps, which no prediction needs."""
    return name.endswith("num_batches_tracked")


def from_state_dict(
    stored: Mapping[str, Stored], source: str, output_stride: int = 16, say: Say = silent
) -> DeepLab | Backbone:
    """Build the network (`backbone.*` and `head.*`), or the backbone where there is no head, in evaluation mode.

    Variant, kind of head, classes and decoder follow from names and shapes. WeightsError: of another network.
    """
    prefix = "backbone." if any(name.startswith("backbone.") for name in stored) else ""
    variant = recognised(stored, lambda name, _: f"{prefix}{name}", source)
    headed = prefix != "" and any(name.startswith("head.") for name in stored)
    with torch.device("meta"):
        backbone = Xception(variant, output_stride)
        network = DeepLab(backbone, _head(stored, variant, output_stride, source)) if headed else backbone
    prefix = "" if headed else prefix
    names = {ours: f"{prefix}{ours}" for ours in tensors_of(network)}
    return filled(network, stored, names, source, is_counter, say, channels_last=False)


def recognised(
    stored: Mapping[str, Stored], name_of: Callable[[str, Variant], str], source: str, *, family: str = ""
) -> Variant:
    """Give the variant whose backbone has the most names and shapes in common with the file; WeightsError: none has.

    name_of: our name of a backbone's tensor → the file's.
    """
    best, most = None, 0
    for variant in VARIANTS.values():
        if family in ("", variant.family):
            with torch.device("meta"):
                wanted = tensors_of(Xception(variant))
            theirs = ((stored.get(name_of(name, variant)), tuple(tensor.shape)) for name, tensor in wanted.items())
            hits = sum(found is not None and tuple(found.shape) == shape for found, shape in theirs)
            missed = len(wanted) - hits
            if hits and (best is None or hits - missed > most):
                best, most = variant, hits - missed
    if best is None:
        raise WeightsError(f"{source} is of another network: it has no tensor in common with {', '.join(VARIANTS)}")
    return best


def _head(stored: Mapping[str, Stored], variant: Variant, output_stride: int, source: str) -> Head:
    rows = {name: item.shape for name, item in stored.items() if name == _ROW or name.startswith(f"{_ROW}.")}
    counts = {shape[0] if shape else 0 for shape in rows.values()}
    if len(counts) != 1 or not 1 <= (count := counts.pop()) <= IGNORE:
        raise WeightsError(f"{source} is of another network: {_ROW} gives no number of classes up to {IGNORE}")
    if _ROW in rows:
        row = replace(variant, decoder=any(name.startswith("head.decoder.") for name in stored))
        norm = "head.aspp.pooling.norm.weight" in stored
        return AsppDecoderHead(row, count, output_stride, pooling_norm=norm)
    try:
        return LinearHead(variant, count, output_stride, tuple(name.removeprefix(f"{_ROW}.") for name in rows))
    except ValueError as error:
        raise WeightsError(f"{source} is of another network ({error})") from error
