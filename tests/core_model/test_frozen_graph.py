"""The frozen graph that TensorFlow wrote gives its variables; what is damaged is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core_model import WeightsError
from core_model.frozen_graph import read_graph
from tests.core_model.bundle_writer import field, shape_field, varint

GRAPH = Path(__file__).parents[1] / "data" / "tensorflow" / "frozen_inference_graph.pb"


def node(tensor: bytes, name: bytes = b"aspp0/weights", operation: bytes = b"Const") -> bytes:
    """A graph of one NodeDef with a TensorProto."""
    value = field(1, b"value") + field(2, field(8, tensor))
    return field(1, field(1, name) + field(2, operation) + field(5, value))


def test_what_tensorflow_wrote() -> None:
    found = read_graph(GRAPH)
    with np.load(GRAPH.with_name("expected.npz")) as expected:
        assert set(found) == set(expected.files) - {"global_step"}  # no constant of the graph's other nodes either
        for name, value in found.items():
            assert value.dtype == np.float32
            assert np.array_equal(value, expected[name]), name


def test_one_value_for_all(tmp_path: Path) -> None:
    path = tmp_path / "g.pb"
    path.write_bytes(node(b"\x08\x01" + shape_field((3, 2)) + field(5, np.float32(1.5).tobytes())))
    assert np.array_equal(read_graph(path)["aspp0/weights"], np.full((3, 2), 1.5, np.float32))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no constant of it"),
        (b"no graph at all", "damaged or no frozen graph"),
        (GRAPH.read_bytes()[:5000], "beyond the end"),
        (GRAPH.read_bytes()[:-1], "beyond the end"),
        (node(b"\x08\x01" + shape_field((2**40, 2**20)) + field(4, bytes(8))), "8 bytes for shape"),
        (node(b"\x08\x01" + shape_field((2**64 - 1,)) + field(4, bytes(8))), "negative size"),
        (node(b"\x08\x07" + shape_field((2,))), "of type 7"),
        (node(b"\x08\x01" + shape_field((2,)) + b"\x20\x01"), "a number stands"),
        (node(b"\x08\x01", operation=b"PyFunc"), "no constant of it"),
        (node(b"\x08\x01", name=b"\xff/weights"), "damaged"),
        (varint(1 << 3 | 2) + b"\xff" * 10, "too long"),
    ],
)
def test_bad_files(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "g.pb"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message) as caught:
        read_graph(path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_graph(tmp_path / "g.pb")
