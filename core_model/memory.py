"""How much memory learning needs and there is, how much was taken, and whether an error says that there is no more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from core_model.deeplab import build

# fitted to peaks of two networks at two sizes on the CPU (tests); a GPU's are less, for it holds no process
_PROCESS = 400 << 20
_A_WEIGHT = 4  # bytes of a parameter that does not learn
_A_PARAMETER = 20  # of one that does: with gradient, AdamW's moments, a copy to go back to
_A_VALUE = {("full", True): 3.3, ("full", False): 6.5, ("quick", True): 6.3, ("quick", False): 10.0}
# bytes for each value that a layer gives, with bf16 and without


def peak_megabytes() -> int | None:
    """Give the peak so far, in MiB: of the GPU where one is used, else of this process; None where nobody tells."""
    if torch.cuda.is_available() and torch.cuda.max_memory_reserved():
        return torch.cuda.max_memory_reserved() >> 20
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count the parent's memory at the fork too
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) >> 10
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    return None


def out_of_memory(error: Exception) -> bool:
    """Say whether torch or Python could not get memory; on the CPU torch tells it in words only."""
    words = str(error)
    return (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "allocate memory" in words
        or "not enough memory" in words
    )


def memory_needed(recipe: str, variant: str, size: tuple[int, int], batch: int, *, bf16: bool = True) -> int:
    """Estimate the bytes that learning takes at most, in all, with `batch` pictures or crops of size (H, W) a step.

    bf16: whether the device multiplies in it. The linear recipe keeps no graph: it needs what predicting needs.
    """
    learning, all_of_them, values = _extent(recipe == "full", variant, size)
    resting = _PROCESS + _A_WEIGHT * all_of_them
    if recipe == "linear":
        return resting
    each = values * _A_VALUE[recipe, bf16]
    return round(resting + (_A_PARAMETER - _A_WEIGHT) * learning + each * batch)


@cache
def _extent(whole: bool, variant: str, size: tuple[int, int]) -> tuple[int, int, int]:
    """Count parameters that learn (the network's, or its head's), all parameters, and values given for a picture."""
    values = 0

    def count(layer: nn.Module, _given: object, out: object) -> None:
        nonlocal values
        if isinstance(out, Tensor) and next(layer.children(), None) is None:
            values += out.numel()

    with torch.device("meta"):  # shapes alone: nothing is computed
        network = build(variant, 2).eval()
        learns = network if whole else network.head
        for layer in learns.modules():
            layer.register_forward_hook(count)
        network(torch.empty(1, 3, *size))
    learning, every = (sum(parameter.numel() for parameter in part.parameters()) for part in (learns, network))
    return learning, every, values


def memory_free(device: torch.device) -> int | None:
    """Give the bytes that are free on a GPU, else in this machine or what it lends to this process; None: unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if device.type != "cpu" or not meminfo.is_file():
        return None
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) << 10
    most, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    return available if most is None or used is None else min(available, max(0, most - used))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such limit: "max"
        return None


def lowered_batch(
    needed: Callable[[int], int], wanted: int, free: int | None, least: int = 1
) -> tuple[int, str | None]:
    """Give the pictures a step that fit into `free` bytes, `wanted` or `least` to it, and what to warn of.

    needed: bytes for so many pictures a step. free: None where nobody knows.
    """
    if free is None or needed(wanted) <= free:
        return wanted, None
    batch = next((fewer for fewer in range(wanted - 1, least, -1) if needed(fewer) <= free), min(wanted, least))
    need, short = f"about {gigabytes(needed(wanted))} of memory are needed", f"{gigabytes(free)} are free"
    if needed(batch) > free:
        return batch, f"{need}, and {short}: close other programs, or choose a smaller working size, if it fails"
    return batch, f"{need} for {wanted} pictures a step, and {short}: learns with {batch}"


def gigabytes(count: int) -> str:
    """Say a number of bytes."""
    return f"{count / (1 << 30):.1f} GB"
