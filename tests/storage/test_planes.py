from __future__ import annotations

import contextlib
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from app.storage import atomic, planes
from app.storage.errors import UnreadableMask
from app.storage.mask_files import VOC_PALETTE
from tests.storage.conftest import labels, picture


def voc_colour_map() -> list[list[int]]:
    """As the development kit of PASCAL VOC makes it (VOClabelcolormap.m), bit by bit."""
    table = []
    for index in range(256):
        rest, color = index, [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                color[channel] |= ((rest >> channel) & 1) << (7 - bit)
            rest >>= 3
        table.append(color)
    return table


def test_the_palette_is_voc_s_colour_map(tmp_path: Path) -> None:
    planes.write(tmp_path / "m.png", labels(), VOC_PALETTE, 1)
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "P"
        assert np.array(image.getpalette()).reshape(256, 3).tolist() == voc_colour_map()
        assert image.getpalette()[255 * 3 :] == [224, 224, 192]


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), st.integers(0, 2**40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, plane: np.ndarray, sequence: int, coloured: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "round" / "trip.png"
    planes.write(path, plane, VOC_PALETTE if coloured else None, sequence)
    result, number = planes.read(path)
    assert np.array_equal(result, plane)
    assert number == sequence
    with Image.open(path) as image:  # and others read the same
        assert np.array_equal(np.array(image), plane)
        assert image.mode == ("P" if coloured else "L")


def test_a_strided_plane(tmp_path: Path) -> None:
    view = labels(1)[::2, ::-3]
    planes.write(tmp_path / "m.png", view, None, 0)
    assert np.array_equal(planes.read(tmp_path / "m.png")[0], view)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("mode", ["P", "L"])
def test_foreign_masks_of_few_bits_are_exact(tmp_path: Path, mode: str, bits: int) -> None:
    plane = (np.arange(24 * 16).reshape(16, 24) % (1 << bits)).astype(np.uint8)
    if mode == "P":
        image = Image.fromarray(plane)
        image.putpalette(VOC_PALETTE[: 1 << bits].tobytes())
        image.save(tmp_path / "m.png", bits=bits)
    else:
        packed = np.zeros((16, 24 * bits // 8), np.uint8)
        for column in range(24):
            packed[:, column * bits // 8] |= (plane[:, column] << (8 - bits - column * bits % 8)).astype(np.uint8)
        rows = np.concatenate([np.zeros((16, 1), np.uint8), packed], axis=1)
        _raw_png(tmp_path / "m.png", 24, 16, bits, 0, rows.tobytes())
    result, number = planes.read(tmp_path / "m.png")
    assert np.array_equal(result, plane)
    assert number is None


def _raw_png(path: Path, width: int, height: int, bits: int, kind: int, rows: bytes) -> None:
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def test_a_palette_with_transparency_and_sixteen_bits(tmp_path: Path) -> None:
    image = Image.fromarray(labels())
    image.putpalette(VOC_PALETTE.tobytes())
    image.save(tmp_path / "m.png", transparency=0)
    assert np.array_equal(planes.read(tmp_path / "m.png")[0], labels())
    Image.fromarray(labels().astype(np.uint16)).save(tmp_path / "m.png")
    assert np.array_equal(planes.read(tmp_path / "m.png")[0], labels())
    Image.fromarray(labels().astype(np.uint16) + 1).save(tmp_path / "m.png")
    with pytest.raises(UnreadableMask, match="not a mask"):
        planes.read(tmp_path / "m.png")


def test_what_is_no_mask_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    Image.fromarray(picture()).save(path)
    with pytest.raises(UnreadableMask, match=r"colour picture.*save it as"):
        planes.read(path)
    Image.fromarray(labels()).save(path, "BMP")
    with pytest.raises(UnreadableMask, match="not a PNG"):
        planes.read(path)
    with pytest.raises(UnreadableMask, match="missing"):
        planes.read(tmp_path / "nothing.png")
    path.write_bytes(b"")
    with pytest.raises(UnreadableMask):
        planes.read(path)


def _seed() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(labels()).save(buffer, "PNG")
    return buffer.getvalue()


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.floats(0, 1))
@settings(max_examples=120, deadline=None)
def test_damage_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(_seed()[: max(1, int(len(_seed()) * cut))])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(bytes(data))
    with contextlib.suppress(UnreadableMask):
        assert planes.read(path)[0].dtype == np.uint8


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.png"
    planes.write(path, labels(1), None, 1)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        planes.write(path, labels(2), None, 2)
    assert np.array_equal(planes.read(path)[0], labels(1))
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.png"]


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    atomic.write(tmp_path / ("x" * 251 + ".png"), b"data")
    assert (tmp_path / ("x" * 251 + ".png")).read_bytes() == b"data"
