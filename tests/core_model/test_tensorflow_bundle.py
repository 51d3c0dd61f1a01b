"""A checkpoint that TensorFlow wrote is read to the bit; what is damaged or hostile is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core_model import WeightsError
from core_model.tensorflow_bundle import read_bundle
from tests.core_model import bundle_writer as writer

DATA = Path(__file__).parents[1] / "data" / "tensorflow"
SHARDS = [f"model.ckpt.data-0000{i}-of-00002" for i in range(2)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in DATA.glob("model.ckpt.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def refused(folder: Path, message: str) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(WeightsError, match=message) as caught:
        [tensor[...] for tensor in read_bundle(folder / "model.ckpt").values()]
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["model.ckpt", "model.ckpt.index", SHARDS[1]])
def test_what_tensorflow_wrote(name: str) -> None:
    found = read_bundle(DATA / name)
    with np.load(DATA / "expected.npz") as expected:
        assert set(found) == set(expected.files)
        for key, value in expected.items():
            assert found[key].shape == value.shape
            assert found[key].dtype == value.dtype
            assert np.array_equal(found[key][...], value), key


@pytest.mark.parametrize("part", range(0, 657, 7))
def test_a_flipped_bit_in_the_index(folder: Path, part: int) -> None:
    path = folder / "model.ckpt.index"
    data = bytearray(path.read_bytes())
    data[part] ^= 1
    path.write_bytes(data)
    refused(folder, "damaged or no index")


@pytest.mark.parametrize("shard", SHARDS)
@pytest.mark.parametrize("at", [0, 0.5, 0.999])
def test_a_flipped_bit_in_the_data(folder: Path, shard: str, at: float) -> None:
    data = bytearray((folder / shard).read_bytes())
    data[int(at * len(data))] ^= 16
    (folder / shard).write_bytes(data)
    refused(folder, "is damaged: its values do not have the checksum")


@pytest.mark.parametrize("size", [0, 1, 47, 48, 300, 656])
def test_a_truncated_index(folder: Path, size: int) -> None:
    path = folder / "model.ckpt.index"
    path.write_bytes(path.read_bytes()[:size])
    refused(folder, "damaged or no index")


@pytest.mark.parametrize("size", [0, 1, 1000, 51795])
def test_truncated_data(folder: Path, size: int) -> None:
    path = folder / SHARDS[1]
    path.write_bytes(path.read_bytes()[:size])
    refused(folder, "cut off: .* lies beyond its end")


def test_missing_files(folder: Path) -> None:
    (folder / SHARDS[0]).unlink()
    refused(folder, "cannot be read")
    (folder / "model.ckpt.index").unlink()
    refused(folder, "cannot be read")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (writer.entry((2**62, 4), 0, 2**66), "too long|bytes for shape"),
        (writer.entry((2**40,), 0, 2**42), "cut off"),
        (writer.entry((4,), 2**63, 16), "cut off"),
        (writer.entry((2**64 - 1,), 0, 16), "negative size"),
        (writer.entry((1,) * 9, 0, 4), "9 dimensions"),
        (writer.entry((4,), 0, 12), "12 bytes for shape"),
        (writer.entry((4,), 0, 16, dtype=7), "of type 7"),
        (writer.entry((4,), 0, 16, shard=1), "data file 1 of 1"),
        (writer.entry((4,), 0, 16, extra=writer.field(7, b"")), "in slices"),
        (writer.field(3, b"abc"), "bytes stand where a number belongs"),
        (b"\x0a\xff\xff\xff\xff\x0f", "beyond the end"),
        (b"\x0c", "unknown kind"),
    ],
)
def test_absurd_entries(tmp_path: Path, entry: bytes, message: str) -> None:
    (tmp_path / "model.ckpt.index").write_bytes(writer.index({b"": writer.HEADER, b"a/weights": entry}))
    (tmp_path / "model.ckpt.data-00000-of-00001").write_bytes(bytes(16))
    refused(tmp_path, message)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (writer.index({b"": writer.HEADER}, compression=1), "compressed"),
        (writer.index({b"a": b""}), "no header"),
        (writer.index({b"": b"\x08\x00"}), "0 data files"),
        (writer.index({b"": b"\x08\x01\x10\x01"}), "byte order 1"),
        (writer.index({b"": writer.HEADER, b"a\nb": b""}), "cannot be shown"),
        (writer.index({b"": writer.HEADER, b"\xff\xfe": b""}), "damaged"),
        (writer.index({b"": writer.HEADER, b"a" * 2000: b""}), "too long"),
        (bytes(40) + writer.MAGIC, "beyond the end"),
        (b"\xff" * 40 + writer.MAGIC, "too long"),
        (bytes(5 << 20), "too large"),
    ],
)
def test_absurd_indices(tmp_path: Path, index: bytes, message: str) -> None:
    (tmp_path / "model.ckpt.index").write_bytes(index)
    refused(tmp_path, message)
