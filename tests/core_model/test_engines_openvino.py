"""OpenVINO: what it keeps on disk, what it tells nobody, and that everything works without it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core_model import Predictor, Xception
from core_model.engines import best_engine
from core_model.engines.openvino_engine import OpenVinoEngine
from tests.core_model.test_engines import CPU, ROOT, living, narrow
from tests.core_model.test_predictor import picture

there = pytest.mark.skipif(bool(OpenVinoEngine.lacks()), reason="openvino is not installed")
TAPS = ("low_level", "middle")
X = torch.linspace(-1, 1, 3 * 33 * 49).reshape(1, 3, 33, 49)


@pytest.fixture
def backbone() -> Xception:
    backbone = living(Xception(narrow("xception")))
    backbone.sha256 = "a" * 64
    return backbone


def seen(backbone: Xception, cache: Path | None, taps: tuple[str, ...] = TAPS) -> dict[str, Tensor]:
    return OpenVinoEngine(backbone, CPU, taps, exact=True, cache=cache)(X)


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@there
def test_what_was_converted_is_taken_from_the_disk_the_next_time(
    backbone: Xception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "new" / "engines"
    expected = seen(backbone, cache)
    (place,) = cache.iterdir()
    assert {path.name for path in place.iterdir()} == {"model.xml", "model.bin", "sums"}
    assert seen(backbone, None).keys() == expected.keys()
    monkeypatch.setattr("core_model.engines.openvino_engine.converted", None)  # is not called any more
    assert same(seen(backbone, cache), expected)


@there
@pytest.mark.parametrize("name", ["model.bin", "model.xml", "sums"])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_what_is_damaged_on_disk_is_made_again(
    backbone: Xception, tmp_path: Path, name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = seen(backbone, tmp_path)
    (file,) = tmp_path.glob(f"*/{name}")
    data = file.read_bytes()
    middle = len(data) // 2
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:middle] + (b"" if how == "cut" else bytes([data[middle] ^ 4]) + data[middle + 1 :]))
    assert same(seen(backbone, tmp_path), expected)
    monkeypatch.setattr("core_model.engines.openvino_engine.converted", None)
    assert same(seen(backbone, tmp_path), expected)


@there
def test_a_folder_that_cannot_be_written_is_done_without(backbone: Xception, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert same(seen(backbone, tmp_path / "file"), seen(backbone, None))
    assert (tmp_path / "file").read_text() == "no folder"


@there
def test_each_network_has_its_place_and_the_oldest_goes(backbone: Xception, tmp_path: Path) -> None:
    seen(backbone, tmp_path)
    (first,) = tmp_path.iterdir()
    os.utime(first / "sums", (1, 1))
    left_by_a_kill = tmp_path / ".aside"
    left_by_a_kill.mkdir()
    os.utime(left_by_a_kill, (1, 1))
    seen(backbone, tmp_path, ("middle", "low_level"))
    assert set(seen(backbone, tmp_path, ("middle",))) == {"middle"}
    for digit in "bc":
        backbone.sha256 = digit * 64
        seen(backbone, tmp_path)
    assert not first.exists()
    assert not left_by_a_kill.exists()
    assert len(list(tmp_path.iterdir())) == 4


@there
def test_a_backbone_that_came_from_no_file_leaves_nothing_on_disk(backbone: Xception, tmp_path: Path) -> None:
    backbone.sha256 = ""
    seen(backbone, tmp_path)
    assert list(tmp_path.iterdir()) == []


@there
def test_several_are_made_at_once(backbone: Xception) -> None:
    taps, x = ("low_level", "middle"), torch.linspace(-1, 1, 3 * 65 * 65).reshape(1, 3, 65, 65)

    def made_and_used(_number: int) -> Tensor:
        return OpenVinoEngine(backbone, CPU, taps, exact=True)(x)["middle"]

    with ThreadPoolExecutor(3) as threads:
        first, *others = threads.map(made_and_used, range(6))
    assert all(torch.equal(first, other) for other in others)


@there
def test_it_computes_on_as_many_threads_as_torch(backbone: Xception) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            engine = OpenVinoEngine(backbone, CPU, TAPS)
            compiled = engine._request.get_compiled_model()
            assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
            assert compiled.get_property("ENABLE_CPU_PINNING") is False
    finally:
        torch.set_num_threads(before)


@there
def test_it_reports_to_nobody(tmp_path: Path) -> None:
    code = """
import sys, torch
talked = []
sys.addaudithook(lambda event, _: talked.append(event) if event.startswith(("socket.", "urllib.", "http.")) else None)
from core_model import VARIANTS, Predictor, Xception
predictor = Predictor(Xception(VARIANTS["xception_slim"]).eval(), "cpu", engine="openvino")
loaded = [name for name in sys.modules if "telemetry" in name]
print(predictor.engine, talked, loaded)
"""
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    assert done.stdout.split("\n")[0] == "openvino [] []"
    assert list(tmp_path.iterdir()) == []


def test_without_it_the_network_runs_in_torch_and_says_so(backbone: Xception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    predictor = Predictor(backbone, "cpu")
    assert predictor.engine == "torch"
    assert predictor.notes == ["openvino is not installed; going on with torch"]
    assert predictor.features(picture(20, 30)).taps["middle"].shape == (88, 3, 3)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert best_engine(CPU) == ("torch", ("openvino is not installed",))


@there
def test_where_it_fails_to_compile_the_network_runs_in_torch(
    backbone: Xception, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    def compile_model(*_: object) -> object:
        raise RuntimeError("Exception from src/core.cpp:117:\n\nno such instruction\n")

    monkeypatch.setattr(openvino.Core, "compile_model", compile_model)
    predictor = Predictor(backbone, "cpu")
    assert predictor.engine == "torch"
    assert predictor.notes == ["openvino cannot compile the network: no such instruction; going on with torch"]


@there
def test_an_operator_that_it_does_not_know_is_named(backbone: Xception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Curved(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x)

    backbone.middle[0].separable[0].depthwise.norm = Curved()
    predictor = Predictor(backbone, "cpu", taps=TAPS)
    assert len(predictor.notes) == 1
    assert "tanh" in predictor.notes[0]
    assert "going on with torch" in predictor.notes[0]
