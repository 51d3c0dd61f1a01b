"""One door: every kind of file is known by its content, comes back as it was, and is refused in one line otherwise."""

from __future__ import annotations

import io
import random
import re
import shutil
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from core_model import (
    VARIANTS,
    AsppDecoderHead,
    Card,
    DeepLab,
    WeightsError,
    Xception,
    build,
    file_sha256,
    load,
    load_backbone,
    load_head,
    load_network,
    read_card,
    save_backbone,
    save_head,
    save_network,
)
from core_model.checkpoint import tensors_of
from core_model.import_tensorflow import variable_name
from core_model.loading import KINDS, find_backbone, kind_of
from tests.core_model.bundle_writer import field, shape_field, write_bundle

SLIM = VARIANTS["xception_slim"]
NAMES = ("sky", "road", "tree")
CARD = Card("network", "xception_slim", classes=NAMES, working_size=513)


def same(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = tensors_of(one), tensors_of(other)
    return mine.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in mine.items())


def variables(network: DeepLab) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name, tensor in tensors_of(network).items():
        value = tensor.numpy()
        if value.ndim == 4:
            value = value.transpose((2, 3, 0, 1) if name.endswith("depthwise.conv.weight") else (2, 3, 1, 0))
        found[variable_name(name, "xception_slim")] = np.ascontiguousarray(value)
    return found


@pytest.fixture(scope="module")
def network() -> DeepLab:
    torch.manual_seed(3)
    return build(SLIM, 3).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, network: DeepLab) -> Path:
    """The same network as a file of each kind, named as such files are."""
    folder = tmp_path_factory.mktemp("files")
    arrays = variables(network)
    save_network(folder / "network.safetensors", network, CARD)
    sha256 = save_backbone(folder / "backbone.safetensors", network.backbone, CARD, exact=True)
    save_head(folder / "head.safetensors", network.head, replace(CARD, backbone=sha256))
    torch.save(network.state_dict(), folder / "state.pth")
    write_bundle(folder / "model.ckpt", arrays)
    with tarfile.open(folder / "zoo.tar.gz", "w:gz", compresslevel=1) as archive:
        for path in sorted(folder.glob("model.ckpt.*")):
            archive.add(path, f"zoo/{path.name}")
    with (folder / "graph.pb").open("wb") as file:
        for name, value in arrays.items():
            tensor = b"\x08\x01" + shape_field(value.shape) + field(4, value.tobytes())
            attribute = field(1, b"value") + field(2, field(8, tensor))
            file.write(field(1, field(1, name.encode()) + field(2, b"Const") + field(5, attribute)))
    return folder


FILES = ("network.safetensors", "head.safetensors", "state.pth", "model.ckpt.index", "zoo.tar.gz", "graph.pb")


@pytest.mark.parametrize("name", FILES)
def test_every_kind_gives_the_same_network(folder: Path, network: DeepLab, name: str) -> None:
    for stride in (None, 8):
        found = load(folder / name, output_stride=stride)
        assert isinstance(found, DeepLab)
        assert same(network, found)
        assert (found.backbone.output_stride, found.head.output_stride) == (stride or 16,) * 2
        assert not found.training


@pytest.mark.parametrize("name", [name for name in FILES if "model" not in name])
def test_the_content_tells_the_kind(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(folder / name, tmp_path / "weights.dat")
    assert kind_of(tmp_path / "weights.dat") is kind_of(folder / name)
    shutil.copy(folder / name, tmp_path / "weights.h5")  # a wrong name does not matter
    assert kind_of(tmp_path / "weights.h5") is kind_of(folder / name)


def test_a_checkpoint_by_its_prefix_and_each_of_its_files(folder: Path) -> None:
    for name in ("model.ckpt", "model.ckpt.index", "model.ckpt.data-00000-of-00001"):
        assert kind_of(folder / name).name == "a TensorFlow checkpoint"


def test_a_network_in_one_file(folder: Path, network: DeepLab, tmp_path: Path) -> None:
    card = read_card(folder / "network.safetensors")
    assert (card.kind, card.variant, card.head, card.classes) == ("network", "xception_slim", "aspp_decoder", NAMES)
    found = load_network(folder / "network.safetensors")
    assert found.head.card == card
    assert found.backbone.card == card
    bare = build(replace(SLIM, decoder=False), 3, pooling_norm=False).eval()
    save_network(tmp_path / "x", bare, CARD)
    assert same(bare, load(tmp_path / "x"))
    assert same(network.backbone, load_backbone(folder / "network.safetensors", output_stride=8))
    assert same(network.head, load_head(folder / "network.safetensors"))
    with pytest.raises(WeightsError, match="is a backbone, not a network"):
        load_network(folder / "backbone.safetensors")
    with pytest.raises(ValueError, match="names 2 classes, the head has 3"):
        save_network(tmp_path / "y", network, replace(CARD, classes=("a", "b")))


def test_a_head_finds_its_backbone(folder: Path, network: DeepLab, tmp_path: Path) -> None:
    head = Path(shutil.copy(folder / "head.safetensors", tmp_path))
    with pytest.raises(WeightsError, match=r"is not here: put its file beside head\.safetensors"):
        load(head)
    assert same(network, load(head, backbone=folder))
    assert same(network, load(head, backbone=folder / "backbone.safetensors"))
    sha256 = file_sha256(folder / "backbone.safetensors")
    named = Path(shutil.copy(folder / "backbone.safetensors", tmp_path / f"{sha256}.safetensors"))
    assert same(network, load(head))
    assert find_backbone(sha256, tmp_path / "nowhere", tmp_path) == named
    (tmp_path / "broken.safetensors").write_bytes(b"rubbish")
    assert find_backbone("0" * 64, tmp_path) is None


def test_imagenets_checkpoint_is_a_backbone(network: DeepLab, tmp_path: Path) -> None:
    own = {name: value for name, value in variables(network).items() if name.startswith("xception_slim/")}
    top = {
        "xception_slim/logits/weights": np.zeros((1, 1, 768, 1001), np.float32),
        "xception_slim/logits/biases": np.zeros(1001, np.float32),
        "xception_slim/logits/weights/Momentum": np.zeros((1, 1, 768, 1001), np.float32),
        "global_step": np.array(7, np.int64),
    }
    write_bundle(tmp_path / "model.ckpt", {**own, **top})
    said: list[str] = []
    found = load(tmp_path / "model.ckpt", output_stride=8, say=said.append)
    assert isinstance(found, Xception)
    assert found.output_stride == 8
    assert same(network.backbone, found)
    assert said == [
        "left out, not of this network: xception_slim/logits (2), global_step (1), xception_slim/logits/weights (1)"
    ]
    missing = dict(own)
    del missing["xception_slim/entry_flow/conv1_1/weights"]
    write_bundle(tmp_path / "model.ckpt", {**missing, "dense/kernel": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match=r"dense/kernel does not belong to it; .*conv1_1/weights is missing"):
        load(tmp_path / "model.ckpt")


def test_a_checkpoint_without_logits_is_a_backbone_too(network: DeepLab, tmp_path: Path) -> None:
    rest = {name: value for name, value in variables(network).items() if not name.startswith("logits/")}
    write_bundle(tmp_path / "model.ckpt", rest)
    said: list[str] = []
    found = load(tmp_path / "model.ckpt", say=said.append)
    assert isinstance(found, Xception)
    assert same(network.backbone, found)
    assert re.search(r"left out, not of this network: .*(aspp|decoder|concat_projection)", said[0])


def test_what_was_asked_for_is_checked(folder: Path) -> None:
    for name in FILES:
        with pytest.raises(WeightsError, match="holds xception_slim, not xception_41"):
            load(folder / name, variant="xception_41")
    with pytest.raises(WeightsError, match="output stride 4: it can be 8, 16 or 32"):
        load(folder / "state.pth", output_stride=4)


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    return str(caught.value)


@pytest.fixture
def copies(folder: Path, tmp_path: Path) -> Path:
    """All files, each to be damaged."""
    return Path(shutil.copytree(folder, tmp_path / "copies"))


@pytest.mark.parametrize("name", [*FILES, "model.ckpt.data-00000-of-00001", "backbone.safetensors"])
def test_cut_off(copies: Path, name: str) -> None:
    data = (copies / name).read_bytes()
    for length in (0, 1, 9, 100, len(data) // 2, len(data) - 1):
        (copies / name).write_bytes(data[:length])
        assert name.split(".")[0] in refused(copies / name)


@pytest.mark.parametrize(
    "name", ["network.safetensors", "head.safetensors", "backbone.safetensors", "state.pth", "zoo.tar.gz"]
)
def test_a_flipped_bit(copies: Path, name: str) -> None:
    data = bytearray((copies / name).read_bytes())
    data[len(data) * 2 // 3] ^= 8
    (copies / name).write_bytes(data)
    assert "is damaged" in refused(copies / name)


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_anywhere_in_an_archive(copies: Path, seed: int) -> None:
    data = bytearray((copies / "zoo.tar.gz").read_bytes())
    data[random.Random(seed).randrange(20, len(data) - 8)] ^= 1 << seed % 8
    (copies / "zoo.tar.gz").write_bytes(data)
    assert "is damaged" in refused(copies / "zoo.tar.gz")


@pytest.mark.parametrize("suffix", ["", *sorted({suffix for kind in KINDS for suffix in kind.suffixes})])
def test_rubbish_and_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    assert "does not exist" in refused(path) or suffix == ".index"
    for content in (b"", b"rubbish" * 100, b"\x80\x02" * 300, b"PK\x03\x04" * 99, b"\x0a" * 99, b"\x1f\x8b\x08" * 99):
        path.write_bytes(content)
        assert "x" in refused(path)
    assert refused(tmp_path)  # a folder


@pytest.mark.parametrize("length", [0, 1 << 20, (1 << 32) - 1, 1 << 62])
def test_an_absurd_header(tmp_path: Path, length: int) -> None:
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", length) + b"{" * 100)
    assert "is damaged or no safetensors file" in refused(tmp_path / "x.safetensors")
    header = b'{"stem.0.conv.weight":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    assert "is damaged or no safetensors file" in refused(tmp_path / "x.safetensors")


def test_an_archive_that_leads_outside(tmp_path: Path) -> None:
    for name in ("../evil.index", "/tmp/evil.index", "zoo/../../evil.index"):
        with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"evil"))
        assert "leads outside" in refused(tmp_path / "x.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]


def test_another_network(tmp_path: Path) -> None:
    other = {"conv1.weight": torch.zeros(64, 3, 7, 7), "layer1.0.bn1.bias": torch.zeros(64)}
    safetensors.torch.save_file(other, tmp_path / "resnet.safetensors")
    torch.save(other, tmp_path / "resnet.pth")
    for name in ("resnet.safetensors", "resnet.pth"):
        assert f"{name} is of another network" in refused(tmp_path / name)


def test_the_head_of_another_backbone(folder: Path, tmp_path: Path) -> None:
    save_head(tmp_path / "head", AsppDecoderHead(SLIM, 3), replace(CARD, backbone="ab" * 32))
    with pytest.raises(WeightsError, match="was learnt on the backbone abababababab"):
        load(tmp_path / "head", backbone=folder / "backbone.safetensors")
