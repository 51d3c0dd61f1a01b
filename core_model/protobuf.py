"""The wire format of protocol buffers, as far as TensorFlow's files need it: fields of a message, one after another."""

from __future__ import annotations

from collections.abc import Iterator

Field = int | memoryview
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a variable-length integer (below 2^64): its value and where the next thing begins; ValueError at the end."""
    value = shift = 0
    while shift < 64:
        if at >= len(data):
            raise ValueError("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
        shift += 7
    raise ValueError("a number is too long")


def fields(data: memoryview) -> Iterator[tuple[int, Field]]:
    """Give number and value of each field: an int, or a view of the bytes of it; ValueError when it is damaged."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        value: Field
        if kind == _VARINT:
            value, at = varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of unknown kind {kind}")
        if size > len(data) - at:
            raise ValueError("a field reaches beyond the end")
        value = data[at : at + size]
        at += size
        yield tag >> 3, value if kind == _BYTES else int.from_bytes(value, "little")


def message(data: Field) -> Iterator[tuple[int, Field]]:
    """Give the fields of a field that has to be a message itself."""
    return fields(octets(data))


def octets(value: Field) -> memoryview:
    """Give the bytes of a field that has to hold bytes."""
    if isinstance(value, int):
        raise ValueError("a number stands where bytes belong")
    return value


def number(value: Field) -> int:
    """Give the value of a field that has to be a number."""
    if not isinstance(value, int):
        raise ValueError("bytes stand where a number belongs")
    return value


def shape(data: Field) -> tuple[int, ...]:
    """Read a TensorShapeProto (dim = 2, its size = 1); ValueError when a size is unknown, that is negative."""
    sizes = []
    for key, dim in message(data):
        if key == 2:
            size = next((number(value) for inner, value in message(dim) if inner == 1), 0)
            if size >= 2**63:
                raise ValueError("a shape has a negative size")
            sizes.append(size)
    if len(sizes) > 8:
        raise ValueError(f"a shape has {len(sizes)} dimensions")
    return tuple(sizes)
