"""A whole network comes back from TensorFlow's files, and `load` knows them by their names."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import VARIANTS, DeepLab, WeightsError, build, from_tensorflow, load
from core_model.checkpoint import tensors_of
from core_model.import_tensorflow import variable_name
from tests.core_model.bundle_writer import field, shape_field, write_bundle

DATA = Path(__file__).parents[1] / "data" / "tensorflow"
Variables = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def network() -> DeepLab:
    torch.manual_seed(0)
    return build(VARIANTS["xception_slim"], 3).eval()


@pytest.fixture(scope="module")
def variables(network: DeepLab) -> Variables:
    found = {}
    for name, tensor in tensors_of(network).items():
        value = tensor.numpy()
        if value.ndim == 4:
            value = value.transpose((2, 3, 0, 1) if name.endswith("depthwise.conv.weight") else (2, 3, 1, 0))
        found[variable_name(name, "xception_slim")] = np.ascontiguousarray(value)
    return found


def same(one: DeepLab, other: DeepLab) -> bool:
    return all(torch.equal(value, tensors_of(other)[name]) for name, value in tensors_of(one).items())


def test_a_checkpoint_and_its_archive(tmp_path: Path, network: DeepLab, variables: Variables) -> None:
    write_bundle(tmp_path / "model.ckpt", {**variables, "global_step": np.array(7, np.int64)})
    assert same(network, load(tmp_path / "model.ckpt"))
    with tarfile.open(tmp_path / "zoo.tar.gz", "w:gz", compresslevel=0) as archive:
        for path in sorted(tmp_path.glob("model.ckpt.*")):
            archive.add(path, f"zoo/{path.name}")
    assert same(network, load(tmp_path / "zoo.tar.gz"))


def test_a_frozen_graph(tmp_path: Path, network: DeepLab, variables: Variables) -> None:
    def node(name: str, value: NDArray[np.float32]) -> bytes:
        tensor = b"\x08\x01" + shape_field(value.shape) + field(4, value.tobytes())
        attribute = field(1, b"value") + field(2, field(8, tensor))
        return field(1, field(1, name.encode()) + field(2, b"Const") + field(5, attribute))

    (tmp_path / "graph.pb").write_bytes(b"".join(node(name, value) for name, value in variables.items()))
    assert same(network, load(tmp_path / "graph.pb"))


def test_a_damaged_checkpoint_gives_no_network(tmp_path: Path, variables: Variables) -> None:
    write_bundle(tmp_path / "model.ckpt", variables)
    path = tmp_path / "model.ckpt.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="is damaged: its values do not have the checksum"):
        load(tmp_path / "model.ckpt")


@pytest.mark.parametrize("name", ["model.ckpt", "frozen_inference_graph.pb"])
def test_part_of_a_network_is_named(name: str) -> None:
    with pytest.raises(WeightsError, match=r"of another network: .* is missing"):
        load(DATA / name)


def test_another_network(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", {"resnet_v1/conv1/weights": np.zeros((1, 1, 2, 2), np.float32)})
    with pytest.raises(WeightsError, match="of another network: no xception"):
        load(tmp_path / "model.ckpt")


@pytest.mark.parametrize("shape", [(), (0,), (1 << 40,), (3, 3)])
def test_a_number_of_classes_that_cannot_be(variables: Variables, shape: tuple[int, ...]) -> None:
    claimed = np.broadcast_to(np.float32(0), shape)  # as a frozen graph stores one value for all
    with pytest.raises(WeightsError, match="logits/semantic/biases has shape"):
        from_tensorflow({**variables, "logits/semantic/biases": claimed})
