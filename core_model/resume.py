"""The state of a learning that has not ended, on disk: what a second start of the same job goes on from."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core_model.checkpoint import write_whole
from core_model.job import Job


@dataclass(frozen=True)
class State:
    """Tensors by `part.name`, and plain values: step, seconds and what else the loop keeps."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Give the tensors of one part, without its name before theirs."""
        return {key.removeprefix(f"{name}."): t for key, t in self.tensors.items() if key.startswith(f"{name}.")}


@dataclass(frozen=True)
class Kept:
    """The file that a state is kept in, and the job that it is of."""

    path: Path
    fingerprint: str

    @classmethod
    def of(cls, job: Job) -> Kept:
        """Tell jobs apart by what they ask for and by their lists of pictures."""
        files = (job.folder / name for name in ("job.json", "train.txt", "val.txt"))
        content = "\0".join(file.read_text(encoding="utf-8") if file.is_file() else "" for file in files)
        return cls(job.out / "training.safetensors", hashlib.sha256(content.encode()).hexdigest())

    def write(self, state: State) -> None:
        """Write the state in one piece; OSError leaves the one before."""
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
        header = {"job": self.fingerprint, "crc32": _checksum(plain), "facts": dict(state.facts)}
        write_whole(self.path, safetensors.torch.save(plain, {"atrous": json.dumps(header)}))

    def read(self, module: nn.Module) -> tuple[State | None, str]:
        """Give the state, if there is one that `module` can go on from, and what to warn of ('' = nothing)."""
        if not self.path.exists():
            return None, ""
        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads(file.metadata()["atrous"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            fingerprint, crc, facts = header["job"], header["crc32"], header["facts"]
            if crc != _checksum(tensors):
                raise ValueError("its values do not have the checksum")
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            return None, f"{self.path.name} is damaged: learning starts anew"
        state = State(tensors, facts)
        shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
        if fingerprint != self.fingerprint or shapes != {n: t.shape for n, t in state.part("module").items()}:
            return None, f"{self.path.name} is of another job: learning starts anew"
        return state, ""

    def remove(self) -> None:
        """Forget it: the learning has ended."""
        self.path.unlink(missing_ok=True)


def fraction_kept(path: Path) -> float | None:
    """Say how far (0..1) the learning was whose state is kept in a file; None where there is none that can be read."""
    try:
        with safe_open(path, framework="pt") as file:
            fraction = json.loads(file.metadata()["atrous"])["facts"]["fraction"]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
    return float(fraction) if isinstance(fraction, int | float) and 0 <= fraction <= 1 else None


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    crc = 0
    for name in sorted(tensors):
        crc = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, zlib.crc32(name.encode(), crc))
    return crc


def moments_flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name an optimiser's state `optimizer.<parameter>.<name>`."""
    state = optimizer.state_dict()["state"]
    return {f"optimizer.{index}.{name}": t for index, values in state.items() for name, t in values.items()}


def put_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take what `moments_flat` gave, named without `optimizer.`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
