"""Our weight files: safetensors with a card in the metadata, written atomically, all names and shapes checked."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core_model.card import Card, WeightsError
from core_model.deeplab import DeepLab
from core_model.heads import HEADS, Head
from core_model.variants import VARIANTS
from core_model.xception import Backbone, Xception


def file_sha256(path: Path | str) -> str:
    """Hash a file (hexadecimal SHA-256), once for each content: kept by path, size and time of change."""
    path = Path(path).resolve()
    stat = path.stat()
    return _hashed(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _hashed(path: Path, _size: int, _mtime: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Name every tensor that a file holds: parameters and statistics, without BN's step counters."""
    return {name: t for name, t in module.state_dict().items() if not name.endswith("num_batches_tracked")}


def fill(module: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy tensors into the module; WeightsError names what is missing, extra or misshapen, and nothing changes.

    A module on torch's meta device, which has shapes only, gets its memory after the check.
    """
    wanted = tensors_of(module)
    faults = [f"{name} is missing" for name in wanted if name not in tensors]
    faults += [f"{name} does not belong to it" for name in tensors if name not in wanted]
    for name, own in wanted.items():
        given = tensors.get(name)
        if given is not None and given.shape != own.shape:
            faults.append(f"{name} has shape {tuple(given.shape)} instead of {tuple(own.shape)}")
        elif given is not None and not (given.is_floating_point() and _finite(given)):
            faults.append(f"{name} holds values that are not finite numbers")
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise WeightsError(f"{source} is of another network: {'; '.join(faults[:3])}{more}")
    state = {  # what no file holds are BN's step counters
        name: tensors[name].to(own.dtype, copy=True) if name in tensors else torch.zeros(own.shape, dtype=own.dtype)
        for name, own in module.state_dict().items()
    }
    module.load_state_dict(state, assign=any(own.is_meta for own in wanted.values()))


def _finite(tensor: Tensor) -> bool:
    """Whether all are numbers: either end would say otherwise; in a tenth of the time of looking at each (measured)."""
    return bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())


def save(path: Path | str, tensors: Mapping[str, Tensor], card: Card) -> str:
    """Write a weight file in one piece (temporary, fsync, rename) and give its sha256; same content, same bytes."""
    plain = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    header = json.dumps({"card": card.to_json(), "crc32": _checksum(plain)}, sort_keys=True)
    data = safetensors.torch.save(plain, {"atrous": header})
    write_whole(Path(path), data)
    return hashlib.sha256(data).hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one piece (temporary, fsync, rename); OSError leaves what there was."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    crc = 0
    for name in sorted(tensors):
        values = tensors[name].contiguous().flatten().view(torch.uint8).numpy()
        crc = zlib.crc32(values.data, zlib.crc32(name.encode(), crc))
    return crc


def read_card(path: Path | str) -> Card:
    """Read only the card of a weight file; WeightsError when there is none."""
    return _read(Path(path), with_tensors=False)[0]


def read(path: Path | str) -> tuple[Card, dict[str, Tensor]]:
    """Read card and tensors of a weight file; WeightsError when it is damaged or not one of this program."""
    return _read(Path(path), with_tensors=True)


def _read(path: Path, *, with_tensors: bool) -> tuple[Card, dict[str, Tensor]]:
    tensors: dict[str, Tensor] = {}
    try:
        if with_tensors:  # not mapped: what another program does to the file meanwhile must not reach this one
            data = path.read_bytes()
            tensors = safetensors.torch.load(data)
            metadata: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        else:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist") from error
    except KeyError as error:
        raise WeightsError(f"{path.name} has no card of this program in it") from error
    except (SafetensorError, OSError, RuntimeError) as error:  # RuntimeError: torch cannot map it
        raise WeightsError(f"{path.name} is damaged or no safetensors file ({error})") from error
    try:
        header = json.loads(metadata["atrous"])
        card, crc = Card.from_json(header["card"]), header["crc32"]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path.name} has no card of this program in it") from error
    except WeightsError as error:
        raise WeightsError(f"{path.name}: {error}") from error
    if with_tensors and _checksum(tensors) != crc:
        raise WeightsError(f"{path.name} is damaged: its values do not have the checksum that was written with them")
    return card, tensors


def _read_part(path: Path, part: Literal["head", "backbone"]) -> tuple[Card, dict[str, Tensor]]:
    """Read a head's or a backbone's file, or as much of a network's."""
    card, tensors = read(path)
    if card.kind == "network":
        return card, {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
    if card.kind != part:
        raise WeightsError(f"{path.name} is a {card.kind}, not a {part}")
    return card, tensors


def save_head(path: Path | str, head: Head, card: Card) -> str:
    """Write a head in float32 and give the file's sha256; kind, head and variant of the card are set from the head."""
    return save(path, tensors_of(head), _card_of(head, replace(card, kind="head")))


def _card_of(head: Head, card: Card) -> Card:
    """Complete a card by what the head itself says."""
    if len(card.classes) != head.num_classes:
        raise ValueError(f"the card names {len(card.classes)} classes, the head has {head.num_classes}")
    return replace(
        card,
        variant=head.variant.name,
        head=head.kind,
        output_stride=head.output_stride,
        pooling_norm=head.pooling_norm,
        decoder=head.variant.decoder,
        reads=head.reads,
    )


def load_head(path: Path | str, output_stride: int | None = None) -> Head:
    """Read a head, or that of a network in one file, on the CPU and in evaluation mode, with its card in `.card`.

    output_stride: the card's by default; the weights are the same at every stride.
    """
    card, tensors = _read_part(Path(path), "head")
    name = Path(path).name
    head = _head_of(replace(card, output_stride=output_stride or card.output_stride), name)
    fill(head, tensors, name)
    return head.eval()


def _head_of(card: Card, name: str) -> Head:
    """Make the head that a card speaks of, on torch's meta device."""
    if card.variant not in VARIANTS or card.head not in HEADS or not card.classes:
        raise WeightsError(f"{name} is a {card.kind} that this version does not know ({card.variant}, {card.head})")
    try:
        with torch.device("meta"):
            head: Head = HEADS[card.head].of(card)
    except ValueError as error:
        raise WeightsError(f"{name} is a {card.kind} that this version does not know ({error})") from error
    head.card = card
    return head


def save_backbone(path: Path | str, backbone: Backbone, card: Card, *, exact: bool = False) -> str:
    """Write a backbone, 97 % of its values in fp16 (see `stored_type`) unless exact, and give the file's sha256."""
    card = replace(card, kind="backbone", variant=backbone.variant.name, output_stride=backbone.output_stride, head="")
    tensors = tensors_of(backbone)
    return save(path, tensors if exact else {name: t.to(stored_type(name)) for name, t in tensors.items()}, card)


def stored_type(name: str) -> torch.dtype:
    """Give the type that a backbone's tensor is stored in: fp16 for dense kernels from the third unit on, else fp32.

    BN's variances are subnormal in fp16. Rounding the depthwise and the first kernels too would save 0.8 of 42.8 MB and
    treble the error of the last feature (2.2e-3 instead of 0.8e-3 of its largest value, against Keras's own outputs).
    """
    dense = name.endswith(("pointwise.conv.weight", "skip.conv.weight"))
    return torch.float16 if dense and not name.startswith(("entry.0.", "entry.1.")) else torch.float32


def load_backbone(path: Path | str, device: torch.device | str = "cpu", output_stride: int | None = None) -> Backbone:
    """Read a backbone, or that of a network in one file, in float32 and evaluation mode, with `.card` and `.sha256`.

    output_stride: the card's by default; the weights are the same at every stride.
    """
    card, tensors = _read_part(Path(path), "backbone")
    name = Path(path).name
    if card.variant not in VARIANTS:
        raise WeightsError(f"{name} is a backbone that this version does not know ({card.variant})")
    with torch.device("meta"):
        backbone = Xception(VARIANTS[card.variant], output_stride or card.output_stride)
    fill(backbone, tensors, name)
    backbone.card, backbone.sha256 = card, file_sha256(path)
    return backbone.eval().to(device)


def save_network(path: Path | str, network: DeepLab, card: Card) -> str:
    """Write backbone and head in one file, in float32, and give the file's sha256; the card is completed."""
    return save(path, tensors_of(network), _card_of(network.head, replace(card, kind="network", backbone="")))


def load_network(path: Path | str, output_stride: int | None = None) -> DeepLab:
    """Read a backbone and its head from one file, on the CPU and in evaluation mode, the card in both their `.card`.

    output_stride: the card's by default; the weights are the same at every stride.
    """
    card, tensors = read(path)
    name = Path(path).name
    if card.kind != "network":
        raise WeightsError(f"{name} is a {card.kind}, not a network")
    head = _head_of(replace(card, output_stride=output_stride or card.output_stride), name)
    with torch.device("meta"):
        network = DeepLab(Xception(VARIANTS[card.variant], head.output_stride), head)
    fill(network, tensors, name)
    network.backbone.card = head.card
    return network.eval()
