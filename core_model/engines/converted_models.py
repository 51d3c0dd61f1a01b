"""Converted models on disk: a folder each, whole or not there, checked when read, the oldest ones going."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

_KEPT = 4
_A_DAY = 86_400  # seconds
_WEIGHTS, _GRAPH, _SUMS = "model.bin", "model.xml", "sums"


def read(core: Any, place: Path) -> Any | None:
    """Give the `openvino.Model` kept in the folder, its weights mapped and not copied; None when it is not whole."""
    try:
        if (place / _SUMS).read_text() != _sums(place):
            return None
        model = core.read_model(place / _GRAPH)
        (place / _SUMS).touch()  # the time of its last use
        return model
    except (OSError, ValueError, RuntimeError):
        return None


def write(ov: Any, model: Any, place: Path) -> None:
    """Keep a model in that folder for the next time, and no more than a few beside it; where that fails, nothing is."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".", ignore_cleanup_errors=True) as aside:
            whole = Path(aside) / place.name
            whole.mkdir()
            ov.save_model(model, whole / _GRAPH, compress_to_fp16=False)
            (whole / _SUMS).write_text(_sums(whole))
            shutil.rmtree(place, ignore_errors=True)
            whole.rename(place)
        used = sorted(place.parent.glob(f"*/{_SUMS}"), key=lambda sums: sums.stat().st_mtime, reverse=True)
        broken_off = [aside for aside in place.parent.glob(".*") if aside.stat().st_mtime < time.time() - _A_DAY]
        for old in (*(sums.parent for sums in used[_KEPT:]), *broken_off):
            shutil.rmtree(old, ignore_errors=True)


def _sums(place: Path) -> str:
    """CRC-32 of the files: a flipped bit would be wrong labels."""
    sums = []
    for name in (_GRAPH, _WEIGHTS):
        crc = 0
        with (place / name).open("rb") as file:
            while block := file.read(1 << 20):
                crc = zlib.crc32(block, crc)
        sums.append(f"{name} {crc:08x}\n")
    return "".join(sums)
