"""Weight files come back as they were written, and damaged or foreign ones are refused in one line."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from core_model import (
    VARIANTS,
    AsppDecoderHead,
    Card,
    LinearHead,
    WeightsError,
    Xception,
    file_sha256,
    load,
    load_backbone,
    load_head,
    read_card,
    save_backbone,
    save_head,
)
from core_model import checkpoint as files

ROW = VARIANTS["xception_slim"]
SHIPPED = Path(__file__).parents[2] / "resources" / "models" / "xception_imagenet.safetensors"
CARD = Card(
    "head",
    "xception_slim",
    "aspp_decoder",
    backbone="ab" * 32,
    classes=("Himmel", "straße", "person"),
    working_size=480,
    parent="2",
    reads=("low_level", "exit"),
    recipe="quick",
    learnt_from={"images": 20, "pixels": 123},
    scores={"miou": 0.5, "pixel_accuracy": 0.9, "classes": {"Himmel": 0.5}},
    partial=True,
    created="2026-11-24T12:00:00+00:00",
    notes={"why": "test"},
)


def head() -> AsppDecoderHead:
    torch.manual_seed(0)
    return AsppDecoderHead(ROW, 3)


@pytest.fixture(scope="module")
def head_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("head") / "head.safetensors"
    save_head(path, head(), CARD)
    return path


def rewritten(source: Path, path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    files.save(path, tensors, read_card(source))
    return path


def test_a_head_comes_back_with_its_card(head_file: Path) -> None:
    found = load_head(head_file)
    assert found.card == CARD
    assert read_card(head_file) == CARD
    assert not found.training
    for name, value in files.tensors_of(head()).items():
        assert torch.equal(value, files.tensors_of(found)[name]), name


def test_the_card_says_how_the_head_is_made(tmp_path: Path) -> None:
    for pooling_norm, stride in ((False, 8), (True, 16)):
        save_head(tmp_path / "h", AsppDecoderHead(ROW, 3, stride, pooling_norm=pooling_norm), CARD)
        found = load_head(tmp_path / "h")
        assert (found.pooling_norm, found.output_stride) == (pooling_norm, stride)
    with pytest.raises(ValueError, match="3 classes, the head has 4"):
        save_head(tmp_path / "h", AsppDecoderHead(ROW, 4), CARD)


def test_the_same_content_gives_the_same_bytes(head_file: Path, tmp_path: Path) -> None:
    sha256 = save_head(tmp_path / "again", head(), CARD)
    assert (tmp_path / "again").read_bytes() == head_file.read_bytes()
    assert sha256 == file_sha256(head_file)


def test_a_backbone_keeps_its_statistics_exactly(tmp_path: Path) -> None:
    backbone = Xception(ROW)
    with torch.no_grad():
        for name, value in backbone.state_dict().items():
            if name.endswith("running_var"):
                value.fill_(2.6e-5)  # subnormal in fp16
    sha256 = save_backbone(tmp_path / "b", backbone, replace(CARD, kind="backbone"))
    found = load_backbone(tmp_path / "b", output_stride=8)
    assert (found.sha256, found.output_stride, found.training) == (sha256, 8, False)
    assert found.card is not None
    assert found.card.output_stride == 16
    given = files.tensors_of(backbone)
    for name, value in files.tensors_of(found).items():
        assert value.dtype == torch.float32
        tolerance = 0.0 if files.stored_type(name) == torch.float32 else 2**-11
        torch.testing.assert_close(value, given[name], rtol=tolerance, atol=1e-7 if tolerance else 0.0)


def test_the_shipped_backbone_is_small_and_says_where_it_comes_from() -> None:
    assert SHIPPED.stat().st_size <= 43_000_000
    card, tensors = files.read(SHIPPED)
    assert (card.kind, card.variant) == ("backbone", "xception")
    assert card.notes["source_sha256"] == "0e14f861010eafe9026a9d878b1cd260f705cb311a15226e0fbc0235b5529989"
    assert "MIT" in card.notes["licence"]
    assert "not with the file that Keras publishes" in card.notes["compared"]
    assert (SHIPPED.parent / "KERAS-LICENSE").read_text().count("Permission is hereby granted") == 1
    half = sum(value.numel() for value in tensors.values() if value.dtype == torch.float16)
    assert half > 0.96 * sum(value.numel() for value in tensors.values())
    assert all(value.dtype == torch.float32 for name, value in tensors.items() if ".norm." in name)


def test_what_is_missing_extra_misshapen_or_not_a_number_is_named(head_file: Path, tmp_path: Path) -> None:
    tensors = files.read(head_file)[1]
    name = "aspp.point.conv.weight"
    faults = {
        f"{name} is missing": {k: v for k, v in tensors.items() if k != name},
        "aspp.more.weight does not belong": tensors | {"aspp.more.weight": torch.zeros(2)},
        rf"{name} has shape \(1, 2\) instead of \(256, 768, 1, 1\)": tensors | {name: torch.zeros(1, 2)},
        f"{name} holds values that are not finite": tensors | {name: tensors[name] / 0},
        "and 2 more": {k: v for k, v in tensors.items() if not k.startswith("aspp.point")},
    }
    for message, changed in faults.items():
        with pytest.raises(WeightsError, match=message) as error:
            load_head(rewritten(head_file, tmp_path / "x", changed))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["truncated", "empty", "bit", "header", "other", "no card", "bad card", "absent"])
def test_a_damaged_file_is_refused_in_one_line(head_file: Path, tmp_path: Path, damage: str) -> None:
    data = bytearray(head_file.read_bytes())
    path = tmp_path / "damaged.safetensors"
    if damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "empty":
        data = bytearray()
    elif damage == "bit":
        data[-1000] ^= 1
    elif damage == "header":
        data[:8] = struct.pack("<Q", 2**62)
    elif damage == "other":
        data = bytearray(b"PK\x03\x04" + bytes(500))
    elif damage == "no card":
        data = bytearray(safetensors.torch.save({"x": torch.zeros(2)}, {"format": "pt"}))
    elif damage == "bad card":
        header = json.dumps(
            {"card": json.dumps({"kind": "head", "variant": "xception", "working_size": -4}), "crc32": 0}
        )
        data = bytearray(safetensors.torch.save({"x": torch.zeros(2)}, {"atrous": header}))
    if damage != "absent":
        path.write_bytes(data)
    for reader in (load_head, load_backbone):
        with pytest.raises(WeightsError, match=r"damaged\.safetensors") as error:
            reader(path)
        assert "\n" not in str(error.value)
    with pytest.raises(WeightsError):  # "bit" is seen by whoever reads the values
        files.read(path) if damage == "bit" else read_card(path)


def test_what_was_read_does_not_follow_the_file(head_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(head_file.read_bytes())
    _, tensors = files.read(path)
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    with path.open("r+b") as file:  # in place, as a program would that copies over it
        file.write(bytes(path.stat().st_size))
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors.items())


def test_a_head_is_no_backbone_and_an_unknown_variant_is_named(head_file: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a head, not a backbone"):
        load_backbone(head_file)
    with pytest.raises(WeightsError, match="is a backbone, not a head"):
        load_head(SHIPPED)
    files.save(tmp_path / "x", files.read(head_file)[1], replace(CARD, variant="xception_99"))
    with pytest.raises(WeightsError, match="xception_99"):
        load_head(tmp_path / "x")


def test_a_head_goes_only_on_the_backbone_that_it_was_learnt_on(tmp_path: Path) -> None:
    sha256 = save_backbone(tmp_path / "own", Xception(ROW), CARD)
    save_backbone(tmp_path / "other", Xception(ROW), CARD)
    save_head(tmp_path / "head", AsppDecoderHead(ROW, 3, 8), replace(CARD, backbone=sha256))
    network = load(tmp_path / "head", backbone=tmp_path / "own")
    assert network.backbone.output_stride == 8  # the head's
    assert network(torch.zeros(1, 3, 33, 33)).shape == (1, 3, 9, 9)
    with pytest.raises(WeightsError, match=f"{sha256[:12]}.*other"):
        load(tmp_path / "head", backbone=tmp_path / "other")


def test_the_hash_of_a_file_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = file_sha256(path)
    assert file_sha256(path) == first
    path.write_bytes(b"other")
    assert file_sha256(path) != first


def test_a_full_disk_leaves_the_file_before_it(
    head_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(head_file.read_bytes())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_head(path, head(), replace(CARD, recipe="full"))
    assert path.read_bytes() == head_file.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_card_of_a_later_version_is_read(head_file: Path) -> None:
    fields = json.loads(CARD.to_json()) | {"a_field_of_the_future": 1}
    assert Card.from_json(json.dumps(fields)) == CARD


def test_a_linear_head_comes_back_with_what_it_reads(tmp_path: Path) -> None:
    given = LinearHead(ROW, 3, reads=("low_level", "middle4_mean5"))
    given.put(torch.randn(given.weights[0].shape), torch.randn(3))
    save_head(tmp_path / "h", given, CARD)
    found = load_head(tmp_path / "h")
    assert isinstance(found, LinearHead)
    assert found.reads == given.reads
    assert torch.equal(found.weights[0], given.weights[0])
    card, tensors = files.read(tmp_path / "h")
    files.save(tmp_path / "x", tensors, replace(card, reads=("attic",)))
    with pytest.raises(WeightsError, match=r"x is a head that this version does not know .*attic"):
        load_head(tmp_path / "x")
    files.save(tmp_path / "x", tensors, replace(card, reads=()))
    with pytest.raises(WeightsError, match=r"classifier\.weight\.mid_level is missing"):
        load_head(tmp_path / "x")
