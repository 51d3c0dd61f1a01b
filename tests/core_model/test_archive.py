"""The model zoo's archive is read as it is; hostile ones are refused and nothing is written."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from core_model import WeightsError
from core_model.archive import read_archive

DATA = Path(__file__).parents[1] / "data" / "tensorflow"
CHECKPOINT = sorted(path.name for path in DATA.glob("model.ckpt.*"))
GRAPH = "frozen_inference_graph.pb"


def pack(path: Path, names: list[str], extra: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.add(DATA / name, f"deeplabv3/{name}")
        if extra:
            archive.addfile(extra)
    return path


def refused(path: Path, message: str) -> None:
    before = sorted(path.parent.parent.rglob("*"))
    with pytest.raises(WeightsError, match=message) as caught:
        read_archive(path)
    assert "\n" not in str(caught.value)
    assert sorted(path.parent.parent.rglob("*")) == before


@pytest.mark.parametrize("names", [[*CHECKPOINT, GRAPH], [GRAPH, *CHECKPOINT[::-1]], [GRAPH]])
def test_checkpoint_first_else_the_graph(tmp_path: Path, names: list[str]) -> None:
    found = read_archive(pack(tmp_path / "m.tar.gz", names))
    assert ("global_step" in found) == (len(names) > 1)
    with np.load(DATA / "expected.npz") as expected:
        assert set(found) | {"global_step"} == set(expected.files)
        assert all(np.array_equal(value[...], expected[name]) for name, value in found.items())
    assert [path.name for path in tmp_path.iterdir()] == ["m.tar.gz"]


@pytest.mark.parametrize("name", ["../evil", "deeplabv3/../../evil", "/tmp/evil", "..\\evil", "a\nb"])
def test_a_path_that_leads_outside(tmp_path: Path, name: str) -> None:
    refused(pack(tmp_path / "m.tar.gz", [GRAPH], tarfile.TarInfo(name)), "leads outside")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("deeplabv3/model.ckpt.index")
    link.type, link.linkname = kind, "/etc/passwd"
    refused(pack(tmp_path / "m.tar.gz", [GRAPH], link), "link or no plain file")


@pytest.mark.parametrize(("size", "message"), [(2**50, "more bytes than the archive can hold"), (200_000, "damaged")])
def test_a_lying_size(tmp_path: Path, size: int, message: str) -> None:
    lie = tarfile.TarInfo(GRAPH)
    lie.size = size
    path = tmp_path / "m.tar.gz"
    path.write_bytes(gzip.compress(lie.tobuf() + (DATA / GRAPH).read_bytes()))
    refused(path, message)


def test_a_header_that_asks_for_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 24
    path = tmp_path / "m.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf() + bytes(1 << 24)))
    refused(path, "a header asks for")


def test_too_many_files(tmp_path: Path) -> None:
    path = tmp_path / "m.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for i in range(1001):
            archive.addfile(tarfile.TarInfo(str(i)))
    refused(path, "more than 1000 files")


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", gzip.compress(b""), gzip.compress(b"no tar" * 1000), gzip.compress(bytes(10240))],
)
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.tar.gz"
    path.write_bytes(data)
    refused(path, "damaged or no archive|0 checkpoints and 0 frozen graphs")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_cut_off_or_flipped(tmp_path: Path, part: float) -> None:
    path = pack(tmp_path / "m.tar.gz", [GRAPH])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    refused(path, "damaged")
    flipped = bytearray(whole)
    flipped[int(part * len(whole))] ^= 4
    path.write_bytes(flipped)
    refused(path, "damaged")


def test_a_data_file_is_missing(tmp_path: Path) -> None:
    refused(pack(tmp_path / "m.tar.gz", CHECKPOINT[1:]), "has no deeplabv3/model.ckpt.data-00000")


def test_two_checkpoints(tmp_path: Path) -> None:
    buffer = tarfile.TarInfo("other.index")
    refused(pack(tmp_path / "m.tar.gz", CHECKPOINT, buffer), "2 checkpoints")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        read_archive(tmp_path / "m.tar.gz")
