"""TensorFlow's checkpoint V2 (`PREFIX.index`, `PREFIX.data-0000i-of-0000n`) without TensorFlow.

The index is a LevelDB table whose empty key holds a BundleHeaderProto and whose other keys, the variables' names, hold
a BundleEntryProto each; the data files are the values' raw bytes. The checksums of both are verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core_model.card import WeightsError
from core_model.crc32c import masked_crc32c
from core_model.protobuf import fields, number, shape, varint

DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?", 19: "<f2"}
_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_LARGEST_INDEX = 4 << 20
_MOST_VARIABLES = 20_000
_LONGEST_NAME = 1024
Octets = NDArray[np.uint8]
Shards = Callable[[str], Octets]


@dataclass(frozen=True)
class BundleTensor:
    """A variable in a bundle, read and checked against its CRC when it is indexed."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: Octets
    crc: int

    def __getitem__(self, key: Any, /) -> Any:
        """Read the values; WeightsError when they do not have the checksum of the index."""
        if masked_crc32c(self.data) != self.crc:
            raise WeightsError(f"{self.name} is damaged: its values do not have the checksum that the index gives")
        return self.data.view(self.dtype).reshape(self.shape)[key]


def is_bundle(path: Path) -> bool:
    """Whether the path is a bundle's prefix, or one of its files."""
    return path.suffix == ".index" or path.with_name(f"{path.name}.index").is_file() or _prefix(path) != path


def read_bundle(path: Path | str) -> dict[str, BundleTensor]:
    """Open a bundle by its prefix or by one of its files: variable → tensor, whose values are read when used.

    WeightsError: damaged, cut off, compressed, of a kind that no checkpoint of a network has, or not there.
    """
    prefix = _prefix(Path(path))
    index = prefix.with_name(f"{prefix.name}.index")
    try:
        if index.stat().st_size > _LARGEST_INDEX:
            raise WeightsError(f"{index.name} is no index of a TensorFlow checkpoint: it is too large")
        data = index.read_bytes()
    except OSError as error:
        raise WeightsError(f"{index} cannot be read ({error.strerror})") from error

    def shard(name: str) -> Octets:
        file = prefix.with_name(name)
        try:
            return np.memmap(file, np.uint8, "r") if file.stat().st_size else np.empty(0, np.uint8)
        except OSError as error:
            raise WeightsError(f"{file} cannot be read ({error.strerror})") from error

    return parse_bundle(prefix.name, data, shard)


def parse_bundle(prefix: str, index: bytes, shard: Shards) -> dict[str, BundleTensor]:
    """Make sense of an index; shard: name of a data file → its bytes, or WeightsError."""
    try:
        return _tensors(prefix, index, shard)
    except WeightsError:
        raise
    except ValueError as error:
        raise WeightsError(f"{prefix}.index is damaged or no index of a TensorFlow checkpoint ({error})") from error


def _printable(key: bytes) -> str:
    name = key.decode()
    if not name.isprintable():
        raise ValueError("a name that cannot be shown")
    return name


def _prefix(path: Path) -> Path:
    return path.with_name(re.sub(r"(?<=.)\.(index|data-\d{5}-of-\d{5})$", "", path.name))


def _tensors(prefix: str, index: bytes, shard: Shards) -> dict[str, BundleTensor]:
    entries: dict[bytes, memoryview] = {}
    for key, value in _table(memoryview(index)):
        entries[key] = value
        if len(entries) > _MOST_VARIABLES:
            raise ValueError(f"more than {_MOST_VARIABLES} variables")
    if b"" not in entries:
        raise ValueError("no header")
    header = {key: number(value) for key, value in fields(entries.pop(b"")) if key in (1, 2)}
    count = header.get(1, 0)
    if header.get(2, 0) != 0 or not 0 < count < 100_000:
        raise ValueError(f"{count} data files, byte order {header.get(2, 0)}")
    opened: dict[int, Octets] = {}
    found = {}
    for key, value in entries.items():
        name = _printable(key)
        entry = dict(fields(value))
        if 7 in entry:
            raise ValueError(f"{name} is stored in slices")
        kind, which, offset, size, crc = (number(entry.get(i, 0)) for i in (1, 3, 4, 5, 6))
        if kind not in DTYPES:
            raise ValueError(f"{name} is of type {kind}, which no weights have")
        if which >= count:
            raise ValueError(f"{name} is in data file {which} of {count}")
        if which not in opened:
            opened[which] = shard(f"{prefix}.data-{which:05}-of-{count:05}")
        dtype, sizes = np.dtype(DTYPES[kind]), shape(entry.get(2, memoryview(b"")))
        if prod(sizes) * dtype.itemsize != size:
            raise ValueError(f"{name} has {size} bytes for shape {sizes}")
        if offset + size > len(opened[which]):
            raise WeightsError(f"{prefix}.data-{which:05}-of-{count:05} is cut off: {name} lies beyond its end")
        found[name] = BundleTensor(name, sizes, dtype, opened[which][offset : offset + size], crc)
    return found


def _table(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Give keys and values of a LevelDB table."""
    if len(data) < _FOOTER or int.from_bytes(data[-8:], "little") != _MAGIC:
        raise ValueError("the mark at its end is missing")
    footer = data[-_FOOTER:]
    _block(data, footer)  # of metadata: there is none
    _, at = varint(footer, varint(footer, 0)[1])
    top = footer[at:]
    _, at = varint(top, varint(top, 0)[1])
    if any(top[at:-8]):
        raise ValueError("its padding is not empty")
    for _, handle in _entries(_block(data, top)):
        yield from _entries(_block(data, handle))


def _block(data: memoryview, handle: memoryview) -> memoryview:
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    end = offset + size
    if end + 5 > len(data) - _FOOTER:
        raise ValueError("a block reaches beyond the end")
    if masked_crc32c(data[offset : end + 1]) != int.from_bytes(data[end + 1 : end + 5], "little"):
        raise ValueError("a block does not have its checksum")
    if data[end] != 0:
        raise ValueError("it is compressed, which TensorFlow does not do")
    restarts = int.from_bytes(data[max(offset, end - 4) : end], "little")
    if 4 * restarts + 4 > size:
        raise ValueError("a block has more restarts than room")
    return data[offset : end - 4 * restarts - 4]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    key, at = b"", 0
    while at < len(block):
        shared, at = varint(block, at)
        rest, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or rest + size > len(block) - at or shared + rest > _LONGEST_NAME:
            raise ValueError("an entry reaches beyond its block, or its name is too long")
        key = key[:shared] + bytes(block[at : at + rest])
        yield key, block[at + rest : at + rest + size]
        at += rest + size
