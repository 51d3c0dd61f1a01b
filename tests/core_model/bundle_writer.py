"""Writes a TensorFlow checkpoint of one data file, right or wrong as a test wants it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core_model.crc32c import masked_crc32c

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
HEADER = b"\x08\x01"  # one data file, little endian


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape_field(shape: tuple[int, ...]) -> bytes:
    return field(2, b"".join(field(2, b"\x08" + varint(size)) for size in shape))


def entry(
    shape: tuple[int, ...], offset: int, size: int, crc: int = 0, dtype: int = 1, shard: int = 0, extra: bytes = b""
) -> bytes:
    """A BundleEntryProto."""
    numbers = {1: dtype, 3: shard, 4: offset, 5: size}
    plain = b"".join(varint(key << 3) + varint(value) for key, value in numbers.items())
    return plain + shape_field(shape) + b"\x35" + crc.to_bytes(4, "little") + extra


def block(entries: Mapping[bytes, bytes], compression: int = 0) -> bytes:
    """A block of a table with its trailer; no key shares a prefix with the one before."""
    body = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries.items())
    data = body + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes([compression])
    return data + masked_crc32c(data).to_bytes(4, "little")


def index(entries: Mapping[bytes, bytes], compression: int = 0) -> bytes:
    """A table of one data block."""
    data, meta = block(entries, compression), block({})
    top = block({b"\xff": varint(0) + varint(len(data) - 5)})
    footer = varint(len(data)) + varint(len(meta) - 5) + varint(len(data) + len(meta)) + varint(len(top) - 5)
    return data + meta + top + footer.ljust(40, b"\0") + MAGIC


def write_bundle(prefix: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """A checkpoint of float32 and int64 variables."""
    entries, data = {b"": HEADER}, bytearray()
    for name, array in sorted(arrays.items()):
        raw = array.tobytes()
        dtype = 9 if array.dtype == np.int64 else 1
        entries[name.encode()] = entry(array.shape, len(data), len(raw), masked_crc32c(raw), dtype)
        data += raw
    prefix.with_name(f"{prefix.name}.index").write_bytes(index(entries))
    prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(data)
