"""The mean over scales and mirror images is the mean by hand, and one view is the plain prediction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from core_model import VARIANTS, Confusion, DeepLab, Prediction, Predictor, build, to_input
from core_model.heads import Head
from core_model.multiscale import SCALES, predict_at_scales


def ended(job: Generator[tuple[int, int], None, Prediction]) -> tuple[list[tuple[int, int]], Prediction]:
    told = []
    while True:
        try:
            told.append(next(job))
        except StopIteration as end:
            return told, cast(Prediction, end.value)


@pytest.fixture(scope="module")
def network() -> DeepLab:
    torch.manual_seed(4)
    return build(replace(VARIANTS["xception_slim"], width=0.25), 5).eval()


@pytest.fixture(scope="module")
def predictor(network: DeepLab) -> Predictor:
    return Predictor(network.backbone, "cpu")


class Simple:
    """A network that sees a pixel and the one three to the left: not symmetric, and no class wins everywhere."""

    def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
        x = to_input(rgb)
        x = torch.cat([x, F.pad(x, (3, 0))[..., :-3]], 1)[0, :, ::4, ::4]  # (6, h, w)
        weight = torch.randn(5, 6, generator=torch.Generator().manual_seed(5)) * 6
        return torch.einsum("kc,chw->khw", weight, x).numpy()


simple, no_head = cast(Predictor, Simple()), cast(Head, None)


def picture(height: int, width: int) -> NDArray[np.uint8]:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    coarse = torch.rand(1, 3, height // 12 + 2, width // 12 + 2, generator=generator)
    return (F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0) * 255).byte().numpy()


def plainly(
    predictor: Predictor, head: Head, rgb: NDArray[np.uint8], scales: Sequence[float], flip: bool
) -> NDArray[np.float64]:
    """The mean of the softmax at the picture's own size, (C, H, W), by torch's own resizing alone."""
    size, views = rgb.shape[:2], []
    for scale in scales:
        h, w = (int((length - 1) * scale + 1) for length in size)
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
        scaled = F.interpolate(x, (h, w), mode="bilinear", align_corners=True).round()
        for mirrored in (False, True)[: 1 + flip]:
            seen = scaled.flip(3) if mirrored else scaled
            logits = torch.from_numpy(predictor.logits(seen[0].permute(1, 2, 0).byte().numpy(), head))[None].double()
            full = (4 * (logits.shape[2] - 1) + 1, 4 * (logits.shape[3] - 1) + 1)
            at_view = F.interpolate(logits, full, mode="bilinear", align_corners=True)[..., :h, :w]
            at_view = at_view.flip(3) if mirrored else at_view
            views.append(F.interpolate(at_view, size, mode="bilinear", align_corners=True).softmax(1)[0])
    return torch.stack(views).mean(0).numpy()


@pytest.mark.parametrize(("height", "width"), [(65, 49), (50, 61), (1, 1), (1, 70), (70, 1)])
def test_scale_one_alone_is_the_plain_prediction(
    network: DeepLab, predictor: Predictor, height: int, width: int
) -> None:
    rgb, size = picture(height, width), (2 * height, 3 * width)
    told, found = ended(predict_at_scales(predictor, rgb, network.head, size, (1.0,), version="7"))
    plain = predictor.predict(predictor.features(rgb), network.head, size, "7")
    assert told == [(1, 1)]
    assert found.version == "7"
    np.testing.assert_array_equal(found.labels, plain.labels)
    np.testing.assert_array_equal(found.confidence, plain.confidence)


def test_the_same_scale_twice_is_the_plain_prediction_too(network: DeepLab, predictor: Predictor) -> None:
    """This way goes through the mean; rounding may decide a tie otherwise."""
    rgb, size = picture(50, 61), (120, 130)
    _, found = ended(predict_at_scales(predictor, rgb, network.head, size, (1.0, 1.0)))
    plain = predictor.predict(predictor.features(rgb), network.head, size)
    assert (found.labels != plain.labels).mean() < 1e-3
    assert np.abs(found.confidence.astype(int) - plain.confidence).max() <= 1


@pytest.mark.parametrize(("scales", "flip"), [((0.5,), False), ((1.0,), True), ((0.5, 1.0, 1.75), True)])
@pytest.mark.parametrize(("height", "width"), [(65, 49), (1, 57)])
def test_the_mean_is_that_of_the_views_at_the_pictures_size(
    scales: tuple[float, ...], flip: bool, height: int, width: int
) -> None:
    """At scale 1.75 a view's last row may lie between two pixels: there torch's corners are not exactly ours."""
    rgb = picture(height, width)
    told, found = ended(predict_at_scales(simple, rgb, no_head, (height, width), scales, flip=flip))
    count = len(scales) * (1 + flip)
    assert told == [(i + 1, count) for i in range(count)]
    mean = plainly(simple, no_head, rgb, scales, flip)
    assert len(np.unique(found.labels)) > 1
    best = np.sort(mean, axis=0)[-2:]
    clear = best[1] - best[0] > 1e-3
    np.testing.assert_array_equal(found.labels[clear], mean.argmax(0)[clear])
    assert clear.mean() > 0.9
    margin = (best[1] - best[0])[::4, ::4] * 255
    np.testing.assert_allclose(found.confidence, margin, atol=0.6)


@pytest.mark.parametrize("width", [49, 52])
def test_the_mirrored_picture_is_answered_mirrored(width: int) -> None:
    rgb = picture(65, width)
    mirror = np.ascontiguousarray(rgb[:, ::-1])
    size = (130, 2 * width)
    _, one = ended(predict_at_scales(simple, rgb, no_head, size, (0.75, 1.0), flip=True))
    _, other = ended(predict_at_scales(simple, mirror, no_head, size, (0.75, 1.0), flip=True))
    assert (one.labels != other.labels[:, ::-1]).mean() < 1e-3  # ties
    _, unlike = ended(predict_at_scales(simple, mirror, no_head, size, (0.75, 1.0)))
    assert (one.labels != unlike.labels[:, ::-1]).mean() > 0.01  # without the mirror image it is not so
    assert len(np.unique(one.labels)) > 1


class Said:
    """Says what it was told to, one answer a view, all over the picture."""

    def __init__(self, *probabilities: Sequence[float]) -> None:
        self._left, self.seen = list(probabilities), list[tuple[int, ...]]()

    def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
        self.seen.append(rgb.shape[:2])
        h, w = (-(-(length - 1) // 16) * 4 + 1 for length in rgb.shape[:2])
        return np.broadcast_to(np.log(np.array(self._left.pop(0), "f4"))[:, None, None], (3, h, w)).copy()


def test_the_mean_by_hand() -> None:
    """Two views are for the first class by little, the third is for the second by much: the mean is for the second."""
    said = Said((0.5, 0.4, 0.1), (0.5, 0.4, 0.1), (0.1, 0.8, 0.1), (0.3, 0.4, 0.3))
    job = predict_at_scales(cast(Predictor, said), picture(33, 17), no_head, (66, 34), (0.5, 1.5), flip=True)
    _, found = ended(job)
    assert said.seen == [(17, 9), (17, 9), (49, 25), (49, 25)]
    assert (found.labels == 1).all()  # means 0.35, 0.5, 0.15
    assert (found.confidence == round(0.15 * 255)).all()
    assert (found.labels.shape, found.confidence.shape) == ((66, 34), (9, 5))


def test_a_view_that_knows_the_left_is_not_believed_of_the_right() -> None:
    """A mirrored view's answer is turned back: here both say class 1 of the columns that were the left half."""

    class Left(Said):
        def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
            left = rgb[0, 0, 0] > 0  # the bright edge is at the left
            h, w = (-(-(length - 1) // 16) * 4 + 1 for length in rgb.shape[:2])
            bright = np.arange(w) < 4 if left else (np.arange(w) >= 4) & (np.arange(w) <= 8)
            return np.stack([np.zeros((h, w)), np.broadcast_to(np.where(bright, 9, -9), (h, w))]).astype("f4")

    rgb = np.zeros((1, 30, 3), np.uint8)
    rgb[:, :15] = 255
    job = predict_at_scales(cast(Predictor, Left()), rgb, no_head, (1, 30), (1.0,), flip=True)
    _, found = ended(job)
    assert found.labels[0, :12].all()
    assert not found.labels[0, 16:].any()


def test_it_can_be_stopped_between_two_views() -> None:
    said = Said(*[(0.5, 0.4, 0.1)] * 12)
    job = predict_at_scales(cast(Predictor, said), picture(33, 33), no_head, (33, 33), flip=True)
    assert next(job) == (1, 2 * len(SCALES))
    job.close()
    assert len(said.seen) == 1


@pytest.mark.parametrize("scales", [(), (0.0,), (-1.0,), (float("nan"),), (1.0, float("inf"))])
def test_scales_that_are_none_are_refused(scales: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="scales are numbers above 0"):
        next(predict_at_scales(cast(Predictor, Said()), picture(9, 9), no_head, (9, 9), scales))


def test_scores_over_a_whole_dataset_are_of_one_matrix() -> None:
    """A dataset's mean IoU is of all its pixels together, not the mean of its pictures', and 255 does not count."""
    scores, right, union = Confusion(5), np.zeros(5), np.zeros(5)
    for number in range(3):
        rgb = picture(40 + number, 33)
        size = (rgb.shape[0], rgb.shape[1])
        _, said = ended(predict_at_scales(simple, rgb, no_head, size, (0.5, 1.0), flip=True))
        truth = np.random.default_rng(number).integers(0, 5, size, np.uint8)
        truth[::3] = 255
        scores.add(truth, said.labels)
        counts = truth != 255
        for label in range(5):
            right[label] += np.sum((truth == label) & (said.labels == label))
            union[label] += np.sum(((truth == label) | (said.labels == label)) & counts)
    assert scores.miou == pytest.approx((right / union).mean())
