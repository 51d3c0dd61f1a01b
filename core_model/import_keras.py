"""Keras's Xception without Keras: `.keras` archives, `.weights.h5` and the `.h5` of keras.applications."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core_model.card import WeightsError
from core_model.checkpoint import fill, tensors_of
from core_model.foreign import Say, Stored, kernel_shape, silent, translate
from core_model.variants import VARIANTS
from core_model.xception import Backbone, Xception

_WEIGHTS = "model.weights.h5"
_LARGEST = 2 << 30  # bytes of an archive member that are unpacked at most; Xception with its top is 92 MB
_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_VARS = {"kernel": 0, "depthwise_kernel": 0, "pointwise_kernel": 1} | {n: i for i, n in enumerate(_NORM.values())}
_SKIPS = (2, 3, 4, 13)  # the blocks with a convolutional skip, which Keras gives no name of its own
_LEFTOVER = re.compile(
    r"(^|/)(dense|predictions|dropout|optimizer|optimizer_weights|seed_generator|top_level_model_weights)"
)


def read(path: Path | str, say: Say = silent) -> dict[str, NDArray[np.float32]]:
    """Read the backbone: names and layout of this program's `xception`, float32.

    Nothing in the file is executed. WeightsError names what is missing, extra or misshapen; what belongs to a head or
    an optimiser is left out and told to `say`.
    """
    import h5py

    path = Path(path)
    try:
        with h5py.File(_hdf5(path), "r") as file:
            return _backbone(_datasets(file), path.name, say)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist") from error
    except (OSError, RuntimeError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged or no Keras file ({error})") from error


def from_keras(path: Path | str, output_stride: int = 16, say: Say = silent) -> Backbone:
    """Build the backbone from Keras's file, in evaluation mode; see `read`."""
    with torch.device("meta"):
        backbone = Xception(VARIANTS["xception"], output_stride)
    arrays = read(path, say)
    fill(backbone, {name: torch.from_numpy(array) for name, array in arrays.items()}, Path(path).name)
    return backbone.eval()


def _hdf5(path: Path) -> io.BytesIO | Path:
    """Give the HDF5 file in a `.keras` archive, or the file itself."""
    if not path.exists() or not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        if _WEIGHTS not in archive.namelist():
            raise WeightsError(f"{path.name} is no Keras archive: it has no {_WEIGHTS}")
        size = archive.getinfo(_WEIGHTS).file_size
        if size > _LARGEST:
            raise WeightsError(f"{path.name} says that its {_WEIGHTS} has {size} bytes; no Xception is that large")
        with archive.open(_WEIGHTS) as member:
            return io.BytesIO(member.read(size))


def _datasets(file: Any) -> dict[str, Stored]:
    """List the arrays by their paths: only those in this very file, no links out of it."""
    found: dict[str, Stored] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "is_virtual") and not item.is_virtual and not item.external:
            found[name] = item

    file.visititems(visit)
    return found


def _backbone(stored: Mapping[str, Stored], source: str, say: Say) -> dict[str, NDArray[np.float32]]:
    with torch.device("meta"):
        wanted = {name: tuple(t.shape) for name, t in tensors_of(Xception(VARIANTS["xception"])).items()}
    layers = dict(_layers(wanted))  # ours → (Keras's layer, its variable)
    stem = next(
        (name for name in stored if re.search(r"(^|/)conv2d/vars/0$", name) and stored[name].shape[:2] == (3, 3)), ""
    )
    if stem:
        prefix = stem.removesuffix("conv2d/vars/0")
        counters = _counters()
        names = {ours: f"{prefix}{counters[layer]}/vars/{_VARS[leaf]}" for ours, (layer, leaf) in layers.items()}
        return translate(stored, names, wanted, source, lambda name: _LEFTOVER.search(name) is not None, say)
    named = _by_layer_names(stored, wanted, layers)
    names = {ours: f"{layer}/{leaf}" for ours, (layer, leaf) in layers.items()}
    return translate(named, names, wanted, source, lambda name: _LEFTOVER.search(name) is not None, say)


def _layers(wanted: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give for each tensor of ours the layer of keras.applications and its variable; a skip is called `blockN_skip`."""
    blocks = {"entry": 2, "middle": 5, "exit": 13}
    for ours in wanted:
        parts = ours.split(".")
        if parts[0] == "stem":
            layer = f"block1_conv{int(parts[1]) + 1}"
        else:
            block = blocks[parts[0]] + int(parts[1])
            layer = f"block{block}_skip" if parts[2] == "skip" else f"block{block}_sepconv{int(parts[3]) + 1}"
        if parts[-2] == "norm":
            yield ours, (f"{layer}_bn", _NORM[parts[-1]])
        else:
            yield ours, (layer, f"{parts[-3]}_kernel" if parts[-3] in ("depthwise", "pointwise") else "kernel")


def _counters() -> dict[str, str]:
    """Give for each layer the name that Keras 3 numbers it by, in the order of the model's own list.

    The skip's convolution and normalisation come after the block's separable convolutions.
    """
    order: dict[str, list[str]] = {"conv2d": [], "separable_conv2d": [], "batch_normalization": []}
    for conv in ("block1_conv1", "block1_conv2"):
        order["conv2d"].append(conv)
        order["batch_normalization"].append(f"{conv}_bn")
    for block in range(2, 15):
        separable = [f"block{block}_sepconv{i}" for i in range(1, 4 if 5 <= block <= 12 else 3)]
        skip = [f"block{block}_skip"] if block in _SKIPS else []
        order["separable_conv2d"] += separable
        order["conv2d"] += skip
        order["batch_normalization"] += [f"{layer}_bn" for layer in separable + skip]
    return {
        layer: kind if i == 0 else f"{kind}_{i}" for kind, layers in order.items() for i, layer in enumerate(layers)
    }


def _by_layer_names(
    stored: Mapping[str, Stored], wanted: Mapping[str, tuple[int, ...]], layers: Mapping[str, tuple[str, str]]
) -> dict[str, Stored]:
    """Name the arrays of an older file `layer/variable`.

    The skips have names like `conv2d_1` there, which depend on what was built before; their shapes tell them apart.
    """
    skips: dict[tuple[int, ...], str] = {}
    for ours, (layer, leaf) in layers.items():
        if "skip" in layer and leaf == "kernel":
            shape = kernel_shape(ours, wanted[ours])
            skips |= {shape: layer, shape[-1:]: f"{layer}_bn"}
    named: dict[str, Stored] = {}
    for path, item in stored.items():
        parts = path.split("/")
        layer, leaf = (parts[-2] if len(parts) > 1 else ""), parts[-1].split(":")[0]
        if re.match(r"conv|batch_?norm", layer) and "optimizer" not in path:
            sibling = f"{path.rpartition('/')[0]}/gamma" + path[path.rfind(":") :] * (":" in path)
            layer = skips.get(tuple(item.shape if leaf == "kernel" else stored.get(sibling, item).shape), layer)
        key = f"{layer}/{leaf}" if "optimizer" not in path else path
        if key in named:
            raise WeightsError(f"the file holds {key} twice")
        named[key] = item
    return named
