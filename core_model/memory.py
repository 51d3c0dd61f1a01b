"""How much memory was taken at most, and whether an error says that there is no more."""

from __future__ import annotations

import sys
from pathlib import Path

import torch


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


def available_bytes(device: torch.device) -> int | None:
    """Give the memory that is free for tensors: the GPU's, or the machine's; None where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return None


def out_of_memory(error: Exception) -> bool:
    """Say whether torch or Python could not get memory; on the CPU torch tells it in words only."""
    words = str(error)
    return (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "allocate memory" in words
        or "not enough memory" in words
    )
