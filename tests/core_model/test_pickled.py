"""A pickle is looked through before anything reads it: no call, no number that cannot be, no byte that is not there."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core_model import WeightsError, load

TENSORS = {"stem.0.conv.weight": torch.arange(27_000.0).reshape(1000, 3, 3, 3)}


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["x.pth", "x"])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, zipped: bool, name: str) -> None:
    content = {**TENSORS, "evil": Evil(tmp_path / "made")}
    torch.save(content, tmp_path / name, _use_new_zipfile_serialization=zipped)
    said = refused(tmp_path / name)
    assert "asks to call" in said
    assert "mkdir" in said
    assert "nothing was run" in said
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_is_not_run(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "x.pth").write_bytes(pickle.dumps(Evil(tmp_path / "made"), protocol))
    assert "nothing was run" in refused(tmp_path / "x.pth")
    assert not (tmp_path / "made").exists()


def test_a_call_that_takes_memory_is_not_made(tmp_path: Path) -> None:
    class Large:
        def __reduce__(self) -> tuple[type, tuple[int]]:
            return bytearray, (1 << 40,)

    torch.save({"x": Large()}, tmp_path / "x.pth")
    assert "bytearray" in refused(tmp_path / "x.pth")


def changed(source: Path, path: Path, change: Callable[[bytes], bytes], member: str, compress: int = 0) -> Path:
    """The same zip with one member changed, its checksum right again."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compress) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, change(data) if info.filename.endswith(member) else data)
    return path


def test_numbers_that_cannot_be(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "x.pth")
    numel = b"M" + struct.pack("<H", 27_000)
    absurd = b"J" + struct.pack("<i", 1 << 30)
    with zipfile.ZipFile(tmp_path / "x.pth") as archive:
        assert archive.read("x/data.pkl").count(numel) == 1
    path = changed(tmp_path / "x.pth", tmp_path / "y.pth", lambda data: data.replace(numel, absurd), "data.pkl")
    assert "claims 1073741824 values, more than it has bytes" in refused(path)
    path = changed(tmp_path / "x.pth", tmp_path / "z.pth", lambda data: data[: len(data) // 2], "data/0")
    assert "damaged" in refused(path)  # fewer values than are spoken of


def test_compressed_members_do_not_grow(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "x.pth")
    path = changed(tmp_path / "x.pth", tmp_path / "y.pth", lambda data: data, "", zipfile.ZIP_DEFLATED)
    assert "is compressed" in refused(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_cut_off_at_any_place(tmp_path: Path, zipped: bool) -> None:
    file = io.BytesIO()
    torch.save(TENSORS, file, _use_new_zipfile_serialization=zipped)
    data = file.getvalue()
    for length in (1, 3, 20, 200, len(data) // 2, len(data) - 1):
        (tmp_path / "x.pth").write_bytes(data[:length])
        assert "x.pth" in refused(tmp_path / "x.pth")


def test_a_flipped_bit(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "x.pth")
    data = bytearray((tmp_path / "x.pth").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "x.pth").write_bytes(data)
    assert "x/data/0 does not have its checksum" in refused(tmp_path / "x.pth")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, {"model": {"a": "b"}}, {1: torch.zeros(1)}, torch.zeros(3)])
def test_no_state_dict(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    assert "holds no state dict" in refused(tmp_path / "x.pth")
