"""Messages come apart into their fields, and what is no message is told."""

from __future__ import annotations

import pytest

from core_model.protobuf import fields, number, octets, shape, varint


def test_each_kind_of_field() -> None:
    data = b"\x08\x96\x01" + b"\x12\x03abc" + b"\x1d\x01\0\0\0" + b"\x21\x02\0\0\0\0\0\0\0"
    found = [(key, value if isinstance(value, int) else bytes(value)) for key, value in fields(memoryview(data))]
    assert found == [(1, 150), (2, b"abc"), (3, 1), (4, 2)]


def test_a_shape() -> None:
    assert shape(memoryview(b"\x12\x02\x08\x03\x12\x03\x08\x80\x02\x12\x00")) == (3, 256, 0)
    assert shape(memoryview(b"")) == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x08", "cut off"),
        (b"\x08\xff", "cut off"),
        (b"\x08" + b"\xff" * 11, "too long"),
        (b"\x12\x04abc", "beyond the end"),
        (b"\x1d\0\0\0", "beyond the end"),
        (b"\x0b", "unknown kind 3"),
    ],
)
def test_what_is_no_message(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(fields(memoryview(data)))


def test_a_field_of_the_wrong_kind() -> None:
    with pytest.raises(ValueError, match="where bytes belong"):
        octets(3)
    with pytest.raises(ValueError, match="where a number belongs"):
        number(memoryview(b"a"))
    with pytest.raises(ValueError, match="cut off"):
        varint(memoryview(b"ab"), 2)
