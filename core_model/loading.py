"""One door for every weight file: its kind is told from the first bytes, from the name only where they say nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from core_model import import_keras
from core_model.archive import read_archive
from core_model.card import WeightsError
from core_model.checkpoint import file_sha256, load_backbone, load_head, load_network, read_card
from core_model.deeplab import DeepLab
from core_model.foreign import Say, Stored, silent
from core_model.frozen_graph import read_graph
from core_model.import_tensorflow import network_from_tensorflow
from core_model.import_timm import from_timm, is_timm
from core_model.import_torch import from_state_dict, of_torch
from core_model.pickled import read_pickled
from core_model.tensorflow_bundle import is_bundle, read_bundle
from core_model.xception import Backbone

SUFFIX = ".safetensors"
_FIRST = 16


class Asked(NamedTuple):
    """What whoever opens a file wants of it."""

    output_stride: int | None  # None: the file's own, or 16
    backbone: Path | None  # a file, or a folder to look in
    say: Say


@dataclass(frozen=True)
class Kind:
    """A kind of weight file: how it begins, what it is usually called, how it is read."""

    name: str
    suffixes: tuple[str, ...]
    begins: Callable[[Path, bytes], bool]  # path, first bytes
    read: Callable[[Path, Asked], DeepLab | Backbone]


def load(
    path: Path | str,
    *,
    backbone: Path | str | None = None,
    output_stride: int | None = None,
    device: torch.device | str = "cpu",
    variant: str | None = None,
    say: Say = silent,
) -> DeepLab | Backbone:
    """Read any weight file in float32 and evaluation mode: a whole network, or a backbone where it holds no head.

    Our safetensors (a head finds its backbone, by its sha256, in `backbone` or beside it; one learnt on another is
    refused), TensorFlow's checkpoints, frozen graphs and the model zoo's archives, Keras's Xception, timm's xception41,
    65 and 71, PyTorch state dicts of this network. `backbone`: a file, or a folder to look in. output_stride: 8, 16 or
    32; by default what the file says, else 16. variant: a file of another one is refused. `say` is told what was left
    out. Nothing in a file is executed. WeightsError in one line: damaged, hostile, of another network, or not there.
    """
    path = Path(path)
    kind = kind_of(path)
    if output_stride not in (None, 8, 16, 32):
        raise WeightsError(f"output stride {output_stride}: it can be 8, 16 or 32")
    found = kind.read(path, Asked(output_stride, Path(backbone) if backbone is not None else None, say))
    if variant is not None and variant != (name := _backbone_of(found).variant.name):
        raise WeightsError(f"{path.name} holds {name}, not {variant}")
    return found.to(device)


def kind_of(path: Path) -> Kind:
    """Tell what kind of weight file it is; WeightsError when it is none, or not there."""
    try:
        with path.open("rb") as file:
            first = file.read(_FIRST)
    except OSError as error:
        if is_bundle(path):  # a checkpoint's prefix, which is no file itself
            first = b""
        elif isinstance(error, FileNotFoundError):
            raise WeightsError(f"{path} does not exist") from error
        else:
            raise WeightsError(f"{path} cannot be read ({error.strerror})") from error
    for kind in KINDS:
        if kind.begins(path, first):
            return kind
    for kind in KINDS:
        if path.name.lower().endswith(kind.suffixes):
            return kind
    known = ", ".join(kind.name for kind in KINDS)
    raise WeightsError(f"{path.name} is of no kind that can be read: it can be {known}")


def find_backbone(sha256: str, *places: Path) -> Path | None:
    """Find the backbone file of that sha256 in files or folders: by its name, else among those whose card says so."""
    for place in places:
        if place.is_file():
            if file_sha256(place) == sha256:
                return place
            continue
        if (named := place / f"{sha256}{SUFFIX}").is_file():
            return named
        for file in sorted(place.glob(f"*{SUFFIX}")):
            try:
                if read_card(file).kind == "backbone" and file_sha256(file) == sha256:
                    return file
            except (WeightsError, OSError):
                continue  # a neighbour that is damaged or not ours is not what was asked for
    return None


def _backbone_of(found: DeepLab | Backbone) -> Backbone:
    return found.backbone if isinstance(found, DeepLab) else found


def _zip_holds(path: Path, first: bytes, suffix: str) -> bool:
    if first[:4] != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(suffix) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _safetensors(path: Path, asked: Asked) -> DeepLab | Backbone:
    try:
        with safe_open(path, framework="pt") as file:
            ours = "atrous" in (file.metadata() or {})
            names = list(file.keys())
            tensors = {} if ours else {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error})") from error
    return _own(path, asked) if ours else _state_dict(of_torch(tensors), path, asked)


def _own(path: Path, asked: Asked) -> DeepLab | Backbone:
    card = read_card(path)
    if card.kind == "network":
        return load_network(path, asked.output_stride)
    if card.kind == "backbone":
        return load_backbone(path, output_stride=asked.output_stride)
    head = load_head(path, asked.output_stride)
    place = asked.backbone
    if place is not None and place.is_file():
        if card.backbone and card.backbone != (found := file_sha256(place)):
            raise WeightsError(
                f"{path.name} was learnt on the backbone {card.backbone[:12]}…, but {place.name} is {found[:12]}…"
            )
        file: Path | None = place
    else:
        file = find_backbone(card.backbone, *([place] if place is not None else []), path.parent)
    if file is None:
        raise WeightsError(
            f"the backbone that {path.name} was learnt on ({card.variant}, sha256 {card.backbone[:12]}…) is not here: "
            f"put its file beside {path.name}"
        )
    return DeepLab(load_backbone(file, output_stride=head.output_stride), head).eval()


def _pickled(path: Path, asked: Asked) -> DeepLab | Backbone:
    return _state_dict(of_torch(read_pickled(path)), path, asked)


def _state_dict(stored: dict[str, Stored], path: Path, asked: Asked) -> DeepLab | Backbone:
    read = from_timm if is_timm(stored) else from_state_dict
    return read(stored, path.name, asked.output_stride or 16, asked.say)


def _keras(path: Path, asked: Asked) -> Backbone:
    return import_keras.from_keras(path, asked.output_stride or 16, asked.say)


def _archive(path: Path, asked: Asked) -> DeepLab | Backbone:
    return network_from_tensorflow(read_archive(path), asked.output_stride or 16, asked.say, path.name)


def _graph(path: Path, asked: Asked) -> DeepLab | Backbone:
    return network_from_tensorflow(read_graph(path), asked.output_stride or 16, asked.say, path.name)


def _bundle(path: Path, asked: Asked) -> DeepLab | Backbone:
    return network_from_tensorflow(read_bundle(path), asked.output_stride or 16, asked.say, path.name)


KINDS = (
    Kind("safetensors", (SUFFIX,), lambda _, first: first[8:9] == b"{" and first[4:8] == b"\0" * 4, _safetensors),
    Kind("the model zoo's .tar.gz", (".tar.gz", ".tgz"), lambda _, first: first[:2] == b"\x1f\x8b", _archive),
    Kind(
        "Keras's .keras or .h5",
        (".keras", ".h5", ".hdf5"),
        lambda path, first: first[:8] == b"\x89HDF\r\n\x1a\n" or _zip_holds(path, first, "weights.h5"),
        _keras,
    ),
    Kind(
        "a PyTorch state dict (.pth)",
        (".pth", ".pt", ".bin", ".pkl"),
        lambda path, first: first[:1] == b"\x80" or _zip_holds(path, first, "data.pkl"),
        _pickled,
    ),
    Kind("a TensorFlow checkpoint", (".index",), lambda path, _: is_bundle(path), _bundle),
    Kind("a frozen graph (.pb)", (".pb",), lambda _, first: first[:1] == b"\x0a", _graph),
)
"""Every kind of weight file, in the order in which they are tried."""
