"""Every engine gives what the plain network gives; `auto` takes the best that works."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import VARIANTS, Backbone, Head, Predictor, Variant, Xception, build, load_backbone, load_head
from core_model.engines import ENGINES, Engine, EngineError, best_engine, make
from core_model.engines.folding import folded
from tests.core_model.test_predictor import picture

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
KINDS = [
    pytest.param(kind, id=kind.name, marks=pytest.mark.skipif(bool(kind.lacks()), reason=kind.lacks()))
    for kind in ENGINES.values()
]
every_engine = pytest.mark.parametrize("kind", KINDS)


def narrow(name: str, width: float = 0.125) -> Variant:
    return replace(VARIANTS[name], width=width)


def living(backbone: Backbone) -> Backbone:
    """With statistics that are not those of a fresh one, so that folding has something to do."""
    torch.manual_seed(3)
    for part in backbone.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(part.bias, -0.2, 0.2)
    return backbone.eval()


def made(kind: type[Engine], backbone: Backbone, taps: tuple[str, ...], exact: bool = True) -> Engine:
    return kind(backbone, torch.device(kind.serves[0]), taps, exact=exact)


@every_engine
@pytest.mark.parametrize("name", ["xception", "xception_slim", "xception_71"])
@pytest.mark.parametrize("stride", [8, 16])
def test_the_taps_are_those_of_the_plain_network(kind: type[Engine], name: str, stride: int) -> None:
    backbone = living(Xception(narrow(name), stride))
    taps = ("exit", "low_level", "stem", "middle3", "mid_level")
    engine = made(kind, backbone, taps)
    assert (engine.name, engine.taps, engine.dtype) == (kind.name, taps, torch.float32)
    for size in ((1, 3, 1, 1), (1, 3, 1, 97), (2, 3, 33, 49), (1, 3, 16, 30)):
        x = torch.rand(size) * 2 - 1
        with torch.inference_mode():
            expected = backbone.features(x, taps)
        found = engine(x)
        assert set(found) == set(taps)
        for tap in taps:
            bound = 1e-5 * float(expected[tap].abs().max())
            torch.testing.assert_close(found[tap].float().cpu(), expected[tap], rtol=0, atol=bound)


@every_engine
def test_in_fp32_the_best_class_is_the_same_wherever_it_is_clear(kind: type[Engine]) -> None:
    torch.manual_seed(4)
    network = build(narrow("xception_41"), 7)
    living(network.backbone)
    network.eval()
    with torch.no_grad():
        network.head.classifier.weight.mul_(300)
    for height, width in ((97, 64), (17, 129)):
        rgb = picture(height, width)
        x = torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None].float() * (2 / 255) - 1
        with torch.inference_mode():
            expected = network(x)
            taps = made(kind, network.backbone, network.head.taps)(x)
            found = network.head({name: tap.float().cpu() for name, tap in taps.items()})
        first, second = expected.topk(2, dim=1).values.unbind(1)
        clear = first - second > 1e-3
        assert clear.float().mean() > 0.9
        assert torch.equal(found.argmax(1)[clear], expected.argmax(1)[clear])


@pytest.fixture(scope="module")
def sample() -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Pictures of the sample with what the plain network says of them."""
    backbone, head = shipped()
    plain = Predictor(backbone, "cpu", engine="torch", exact=True, taps=head.taps)
    pictures = []
    for path in sorted((ROOT / "resources" / "sample" / "JPEGImages").iterdir())[:6:2]:
        rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), cv2.COLOR_BGR2RGB)
        pictures.append((rgb, plain.predict(plain.features(rgb), head, rgb.shape[:2]).labels))
    return pictures


def shipped() -> tuple[Backbone, Head]:
    models = ROOT / "resources" / "models"
    return load_backbone(models / "xception_imagenet.safetensors"), load_head(models / "starter.safetensors")


@pytest.mark.slow
@every_engine
def test_as_fast_as_it_can_the_labels_are_the_same_on_995_of_1000_pixels(
    kind: type[Engine], sample: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
) -> None:
    backbone, head = shipped()
    predictor = Predictor(backbone, kind.serves[0], engine=kind.name, taps=head.taps)
    found = [predictor.predict(predictor.features(rgb), head, rgb.shape[:2]).labels for rgb, _ in sample]
    assert all(len(np.unique(labels)) > 2 for labels in found)
    assert np.mean([(labels == expected).mean() for labels, (_, expected) in zip(found, sample, strict=True)]) >= 0.995


@every_engine
def test_what_it_gave_stays_the_callers_and_the_backbone_as_it_was(kind: type[Engine]) -> None:
    backbone = living(Xception(narrow("xception_slim")))
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    engine = made(kind, backbone, ("low_level", "middle"))
    x, other = torch.rand(2, 1, 3, 33, 33).unbind()
    first = engine(x)
    kept = {name: tap.clone() for name, tap in first.items()}
    for _ in range(3):
        engine(other)
    assert all(torch.equal(first[name], kept[name]) for name in kept)
    assert all(torch.equal(engine(x)[name], kept[name]) for name in kept)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


@every_engine
@pytest.mark.parametrize("working", [(1, 1), (1, 1024), (2, 3), (65, 49)])
def test_a_picture_of_any_form_gets_labels_of_its_size(kind: type[Engine], working: tuple[int, int]) -> None:
    network = build(narrow("xception"), 4).eval()
    predictor = Predictor(network.backbone, kind.serves[0], engine=kind.name)
    grey: NDArray[np.uint8] = np.repeat(picture(*working)[..., :1], 3, 2)
    size = (working[0], round(working[1] * 4.9))
    prediction = predictor.predict(predictor.features(grey), network.head, size)
    assert prediction.labels.shape == size
    assert prediction.labels.max() < 4
    assert predictor.notes == []


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
@every_engine
def test_many_sizes_do_not_fill_the_memory(kind: type[Engine]) -> None:
    lengths = random.Random(0)
    sizes = [(lengths.randrange(8, 120), lengths.randrange(8, 120)) for _ in range(40)]
    backbone = Xception(VARIANTS["xception"]).eval()
    engine = made(kind, backbone, ("low_level", "mid_level", "middle"), exact=False)
    for height, width in ((120, 120), *sizes[:10]):
        engine(torch.zeros(1, 3, height, width))
    before = in_use()
    for height, width in sizes[10:]:
        engine(torch.zeros(1, 3, height, width))
    weights = sum(parameter.numel() * 4 for parameter in backbone.parameters())
    assert in_use() - before < 2 * weights  # one set of weights a size would be 30 of them


def in_use() -> int:
    """Bytes of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@every_engine
def test_two_in_two_threads_do_not_disturb_each_other(kind: type[Engine]) -> None:
    backbones = [living(Xception(narrow(name))) for name in ("xception", "xception_slim")]
    pictures = [picture(33 + 16 * (n % 3), 65) for n in range(6)]

    def all_of_them(backbone: Backbone) -> list[torch.Tensor]:
        predictor = Predictor(backbone, kind.serves[0], engine=kind.name, exact=True)
        return [predictor.features(rgb).taps["middle"] for rgb in pictures]

    expected = [all_of_them(backbone) for backbone in backbones]
    with ThreadPoolExecutor(2) as threads:
        for alone, together in zip(expected, threads.map(all_of_them, backbones), strict=True):
            assert all(torch.equal(one, two) for one, two in zip(alone, together, strict=True))


def test_auto_takes_the_first_that_works_and_says_what_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(ENGINES["torch"]):  # type: ignore[misc]
        name = "broken"

        def __init__(self, *_: object, **__: object) -> None:
            raise EngineError("broken has no wheels")

        @classmethod
        def lacks(cls) -> str:
            return "broken is not installed"

    backbone = Xception(narrow("xception_slim")).eval()
    monkeypatch.setattr("core_model.engines.ENGINES", {"broken": Broken, "torch": ENGINES["torch"]})
    predictor = Predictor(backbone, "cpu")
    assert (predictor.engine, predictor.device) == ("torch", "cpu")
    assert predictor.notes == ["broken has no wheels; going on with torch"]
    assert best_engine(CPU) == ("torch", ("broken is not installed",))
    with pytest.raises(EngineError, match="no wheels"):  # asked for by name, nothing else will do
        Predictor(backbone, "cpu", engine="broken")
    monkeypatch.setattr("core_model.engines.ENGINES", {"broken": Broken})
    with pytest.raises(EngineError, match="no wheels"):
        make("auto", backbone, CPU, ("low_level",))


def test_an_engine_that_is_none_or_of_another_device_is_named() -> None:
    backbone = Xception(narrow("xception_slim")).eval()
    with pytest.raises(EngineError, match="no engine called 'warp'; it can be auto, cuda, openvino, torch"):
        Predictor(backbone, "cpu", engine="warp")
    with pytest.raises(EngineError, match="the engine cuda computes on cuda, not on cpu"):
        Predictor(backbone, "cpu", engine="cuda")


def test_an_engine_that_fails_at_work_is_replaced_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tired(ENGINES["torch"]):  # type: ignore[misc]
        name = "tired"

        def __call__(self, _: torch.Tensor) -> dict[str, torch.Tensor]:
            raise EngineError("tired failed at (1, 3, 33, 33): no more")

    network = folded(build(narrow("xception_slim"), 3))
    monkeypatch.setattr("core_model.engines.ENGINES", {"tired": Tired, "torch": ENGINES["torch"]})
    tired, plain = Predictor(network.backbone, "cpu"), Predictor(network.backbone, "cpu", engine="torch")
    rgb = picture(20, 30)
    labels = [each.predict(each.features(rgb), network.head, (20, 30)).labels for each in (tired, plain)]
    np.testing.assert_array_equal(*labels)
    assert tired.notes == ["tired failed at (1, 3, 33, 33): no more; going on with torch"]
    assert tired.engine == "torch"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_graph_gives_what_the_network_gives() -> None:
    backbone = living(Xception(narrow("xception_65", 0.25)))
    engine = made(ENGINES["cuda"], backbone, ("low_level", "exit"))
    inputs = [torch.rand(1, 3, *size) * 2 - 1 for size in ((65, 65), (65, 65), (33, 49), (65, 65), (33, 49), (65, 65))]
    for x in inputs:  # afresh, recorded, replayed
        with torch.inference_mode():
            expected = backbone.features(x, engine.taps)
        found = engine(x)
        for tap in engine.taps:
            bound = 1e-4 * float(expected[tap].abs().max())
            torch.testing.assert_close(found[tap].cpu(), expected[tap], rtol=0, atol=bound)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_network_that_leaves_fp16s_range_is_computed_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_model.engines.cuda_engine.multiplies_bf16", lambda _: False)
    backbone = living(Xception(narrow("xception_slim")))
    with torch.no_grad():
        backbone.stem[1].norm.weight.mul_(1e6)
    engine = made(ENGINES["cuda"], backbone, ("stem",), exact=False)
    assert engine.dtype == torch.float16
    found = engine(torch.rand(1, 3, 33, 33))["stem"]
    assert engine.dtype == torch.float32
    assert bool(found.isfinite().all())


def test_a_gpu_without_room_for_the_network_leaves_it_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(ENGINES["torch"]):  # type: ignore[misc]
        name, serves = "full", ("cuda",)

        def __init__(self, *_: object, **__: object) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")

    monkeypatch.setattr("core_model.engines.ENGINES", {"full": Full, "torch": ENGINES["torch"]})
    monkeypatch.setattr("core_model.predictor.choose_device", lambda _: torch.device("cuda"))
    predictor = Predictor(Xception(narrow("xception_slim")).eval(), "cuda")
    assert (predictor.device, predictor.engine) == ("cpu", "torch")
    assert predictor.notes == ["cuda has no memory for the network; going on on the CPU"]
