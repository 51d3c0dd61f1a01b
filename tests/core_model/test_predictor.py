"""A picture becomes labels of its own size, the same that the plain network gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from core_model import (
    VARIANTS,
    AsppDecoderHead,
    Card,
    DeviceError,
    LinearHead,
    Predictor,
    WeightsError,
    build,
    choose_device,
    to_input,
    upsample,
)
from core_model.deeplab import DeepLab
from core_model.engines import folded
from core_model.transforms import labels_of, margin_of

CLASSES = 5


@pytest.fixture(scope="module")
def network() -> DeepLab:
    """A network whose statistics are not those of a fresh one, and whose logits differ over a picture."""
    torch.manual_seed(4)
    network = build(replace(VARIANTS["xception_slim"], width=0.25), CLASSES)
    for _ in range(6):
        network(torch.randn(2, 3, 49, 49))
    network.eval()
    with torch.no_grad():
        network.head.classifier.weight.mul_(300)
        network.head.classifier.bias -= network(to_input(picture(97, 64))).mean((0, 2, 3))  # no class wins everywhere
    return network


@pytest.fixture(scope="module")
def predictor(network: DeepLab) -> Predictor:
    return Predictor(network.backbone, "cpu")


def picture(height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(height * 1000 + width)
    coarse = torch.from_numpy(rng.random((1, 3, height // 12 + 2, width // 12 + 2)))
    return (F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0) * 255).byte().numpy()


def reference(network: DeepLab, rgb: NDArray[np.uint8], size: tuple[int, int]) -> torch.Tensor:
    """Logits at full size by the plain way: padded, network, upsampled, cut, resized by pixel centres."""
    x = to_input(rgb)
    with torch.inference_mode():
        logits = upsample(network(x), (x.shape[2], x.shape[3]))[..., : rgb.shape[0], : rgb.shape[1]]
        return F.interpolate(logits, size, mode="bilinear", align_corners=False)[0]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 70), (70, 1), (2, 3), (17, 33), (50, 61), (97, 64)])
@pytest.mark.parametrize("scale", [1, 2.5])
def test_labels_are_those_of_the_plain_network(
    network: DeepLab, predictor: Predictor, height: int, width: int, scale: float
) -> None:
    rgb = picture(height, width)
    size = (round(height * scale), round(width * scale))
    prediction = predictor.predict(predictor.features(rgb), network.head, size, "7")
    assert prediction.labels.shape == size
    assert prediction.labels.dtype == np.uint8
    assert prediction.version == "7"
    assert prediction.confidence.shape == ((height - 1) // 4 + 1, (width - 1) // 4 + 1)
    logits = reference(network, rgb, size)
    best = logits.topk(2, dim=0).values
    clear = (best[0] - best[1] > 0.05 * logits.abs().max()).numpy()  # features are kept in fp16
    assert (prediction.labels == logits.argmax(0).numpy())[clear].all()


def test_the_example_has_several_classes_and_is_mostly_clear(network: DeepLab) -> None:
    logits = reference(network, picture(97, 64), (97, 64))
    best = logits.topk(2, dim=0).values
    assert len(logits.argmax(0).unique()) >= 3
    assert (best[0] - best[1] > 0.05 * logits.abs().max()).float().mean() > 0.4


@pytest.mark.parametrize("size", [(49, 65), (120, 200), (20, 30)])
def test_labels_in_strips_are_exact(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    logits, working = F.interpolate(torch.randn(1, 4, 4, 5), (13, 17), mode="bicubic")[0], (47, 65)
    whole = upsample(logits[None], (49, 65))[..., :47, :65]
    expected = F.interpolate(whole, size, mode="bilinear", align_corners=False)[0]
    best = expected.topk(2, dim=0).values
    clear = best[0] - best[1] > 1e-5
    for budget in (1, 10_000, 1 << 26):
        labels = labels_of(logits, working, size, budget)
        assert torch.equal(labels[clear].long(), expected.argmax(0)[clear])
    assert clear.float().mean() > 0.99


def test_confidence_is_the_margin_of_the_two_best() -> None:
    logits = torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]], [[-1.0, -9.0]]])  # (3, 1, 2)
    margin = (np.e**2 - 1) / (np.e**2 + 1 + np.e**-1)
    assert margin_of(logits, (4, 8)).tolist() == [[round(margin * 255), 0]]
    assert margin_of(logits[:1], (1, 1)).tolist() == [[255]]  # a single class is certain


def test_folding_changes_nothing_and_leaves_the_network_alone(network: DeepLab) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.randn(1, 3, 33, 49)
    with torch.inference_mode():
        expected, found = network(x), folded(network)(x)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * float(expected.abs().max()))
    assert not any("norm" in name for name in folded(network).state_dict())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_is_no_picture_is_refused(predictor: Predictor) -> None:
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="a picture is"):
            predictor.features(wrong)  # type: ignore[arg-type]


def test_a_head_of_another_backbone_is_refused(network: DeepLab, predictor: Predictor) -> None:
    features = replace(predictor.features(picture(9, 9)), backbone="a" * 64)
    head = folded(network.head)
    head.card = Card("head", "xception_slim", backbone="b" * 64)
    with pytest.raises(WeightsError, match="bbbbbbbbbbbb"):
        predictor.predict(features, head, (9, 9))
    with pytest.raises(WeightsError, match="for xception_slim at output stride 8, the backbone is xception_slim at 16"):
        predictor.predict(features, AsppDecoderHead(network.head.variant, 2, 8), (9, 9))
    head.card = replace(head.card, backbone="a" * 64)
    assert predictor.predict(features, head, (9, 9)).labels.shape == (9, 9)


def test_a_gpu_out_of_memory_goes_on_on_the_cpu_and_says_so(network: DeepLab) -> None:
    class Full:
        device, taps = torch.device("cuda"), network.head.taps

        def __call__(self, _: torch.Tensor) -> dict[str, torch.Tensor]:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    predictor = Predictor(network.backbone, "cpu")
    predictor._engine = Full()  # type: ignore[assignment]
    rgb = picture(20, 30)
    labels = predictor.predict(predictor.features(rgb), network.head, (20, 30)).labels
    assert predictor.device == "cpu"
    assert predictor.notes == ["cuda ran out of memory; going on on the CPU"]
    expected = Predictor(network.backbone, "cpu")
    np.testing.assert_array_equal(labels, expected.predict(expected.features(rgb), network.head, (20, 30)).labels)
    assert expected.notes == []


def test_another_fault_of_the_engine_goes_up(network: DeepLab) -> None:
    class Broken:
        device, taps = torch.device("cuda"), network.head.taps

        def __call__(self, _: torch.Tensor) -> dict[str, torch.Tensor]:
            raise RuntimeError("device-side assert")

    predictor = Predictor(network.backbone, "cpu")
    predictor._engine = Broken()  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="device-side assert"):
        predictor.features(picture(9, 9))


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    for name, message in (("cuda", "no CUDA device"), ("cuda:1", "no CUDA device"), ("mps", "no Apple GPU")):
        with pytest.raises(DeviceError, match=message):
            choose_device(name)
    for name in ("gpu", "meta", ""):
        with pytest.raises(DeviceError, match="auto, cpu, cuda"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("auto").type == "cuda"
    with pytest.raises(DeviceError, match="1 CUDA device"):
        choose_device("cuda:1")


def test_features_without_what_a_head_reads_are_refused(network: DeepLab) -> None:
    narrow = Predictor(network.backbone, "cpu", taps=network.head.taps)
    features = narrow.features(picture(33, 33))
    assert set(features.taps) == set(network.head.taps)
    head = LinearHead(network.backbone.variant, CLASSES)
    with pytest.raises(WeightsError, match="mid_level is read, which these features do not hold"):
        narrow.predict(features, head, (33, 33))
    with pytest.raises(WeightsError, match="mid_level is read"):
        narrow.fill(features, np.zeros((33, 33), np.uint8), CLASSES, (33, 33))


def test_a_linear_head_predicts_as_any_other(predictor: Predictor, network: DeepLab) -> None:
    features = predictor.features(picture(50, 61))
    head = LinearHead(network.backbone.variant, CLASSES).eval()
    torch.manual_seed(0)
    head.put(torch.randn_like(head.weights[0]), torch.randn(CLASSES))
    with torch.inference_mode():
        logits = head({name: tap.float()[None] for name, tap in features.taps.items()})[0]
    prediction = predictor.predict(features, head, (100, 122), "3")
    np.testing.assert_array_equal(prediction.labels, labels_of(logits, (50, 61), (100, 122)).numpy())
    np.testing.assert_array_equal(prediction.confidence, margin_of(logits, (50, 61)).numpy())


def test_a_fill_keeps_to_the_head_where_nothing_looks_like_the_stroke(predictor: Predictor, network: DeepLab) -> None:
    features = predictor.features(picture(97, 64))
    said = predictor.predict(features, network.head, (97, 64)).labels
    strokes = np.full((97, 64), 255, np.uint8)
    assert predictor.fill(features, strokes, CLASSES, (97, 64), network.head) is None
    strokes[:8, :8] = said[:8, :8]  # agrees with the head
    filled = predictor.fill(features, strokes, CLASSES, (194, 128), network.head, version="5")
    assert filled is not None
    assert (filled.labels.shape, filled.version) == ((194, 128), "5")
    assert filled.confidence.shape == (25, 16)
    assert (filled.labels[::2, ::2] == said).mean() > 0.9


def test_a_fill_speaks_of_the_classes_that_it_was_asked_for(predictor: Predictor, network: DeepLab) -> None:
    features = predictor.features(picture(97, 64))
    said = predictor.predict(features, network.head, (97, 64)).labels
    common = int(np.bincount(said.ravel()).argmax())
    table = np.full(256, 255, np.uint8)
    for label in range(CLASSES):
        table[label] = 6 - label
    table[common] = 255  # the project has no such class
    strokes = np.full((97, 64), 255, np.uint8)
    other = int(np.bincount(said[said != common]).argmax())
    strokes[said == other] = 6 - other
    filled = predictor.fill(features, strokes, 8, (97, 64), network.head, table)
    assert filled is not None
    assert (filled.labels[said == other] == 6 - other).mean() > 0.9
    assert (filled.labels[said == common] == 255).mean() > 0.5
    assert set(np.unique(filled.labels)) <= {*(6 - label for label in range(CLASSES) if label != common), 255}
    alone = predictor.fill(features, strokes, 8, (97, 64))
    assert alone is not None
    assert (alone.labels == 6 - other).all()


def test_a_fill_says_which_cells_stay_as_they_are_shown(predictor: Predictor, network: DeepLab) -> None:
    features = predictor.features(picture(97, 64))
    shown = predictor.predict(features, network.head, (97, 64)).labels
    strokes = np.full((97, 64), 255, np.uint8)
    strokes[:8, :8] = shown[:8, :8]
    shown[:8, :8] = 255
    filled = predictor.fill(features, strokes, CLASSES, (97, 64), network.head, shown=shown)
    assert filled is not None
    assert filled.stays is not None
    assert filled.stays.shape == filled.confidence.shape
    assert filled.stays.mean() > 0.9
    assert not filled.stays[0, 0]  # nothing is shown there
    assert (filled.labels[::4, ::4] == shown[::4, ::4])[filled.stays].all()
    wrong = np.full_like(shown, CLASSES - 1)
    surprised = predictor.fill(features, strokes, CLASSES, (97, 64), network.head, shown=wrong)
    assert surprised is not None
    assert surprised.stays is not None
    assert np.array_equal(surprised.stays, surprised.labels[::4, ::4] == CLASSES - 1)
    without = predictor.fill(features, strokes, CLASSES, (97, 64), network.head)
    assert without is not None
    assert without.stays is None
