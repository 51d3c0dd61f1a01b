"""Tiles of a big picture give what the whole would, in bounded memory, and stop between two of them."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core_model import VARIANTS, Predictor, build, to_input
from core_model.heads import Head
from core_model.tiles import LEAST_SIDE, predict_in_tiles, spans
from core_model.transforms import labels_of, margin_of

T = TypeVar("T")


def ended(job: Generator[tuple[int, int], None, T]) -> tuple[list[tuple[int, int]], T]:
    """What a job told, and what it returned."""
    told = []
    while True:
        try:
            told.append(next(job))
        except StopIteration as end:
            return told, cast(T, end.value)


class Pointwise:
    """A network that sees one pixel at a time: tiles cannot change what it says."""

    device, falls_back = "cuda", True

    def __init__(self, room: int = 1 << 30) -> None:
        self.notes: list[str] = []
        self.sides: list[tuple[int, int]] = []
        self.room = room  # pixels of the largest tile that fits
        self.num_classes = 3

    def note(self, text: str) -> None:
        self.notes.append(text)

    def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
        self.sides.append(rgb.shape[:2])
        if rgb.shape[0] * rgb.shape[1] > self.room:
            if not self.falls_back:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
            self.notes.append("cuda ran out of memory; going on on the CPU")
            self.room = 1 << 30
        return (to_input(rgb)[0, :, ::4, ::4] * torch.tensor([8.0, 8.0, 8.0])[:, None, None]).numpy()


def tiled(network: Pointwise, rgb: NDArray[np.uint8], side: int, overlap: int | None = None):  # type: ignore[no-untyped-def]
    return predict_in_tiles(cast(Predictor, network), rgb, cast(Head, network), side, overlap, "v")


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(length=st.integers(1, 5000), side=st.integers(1, 700), overlap=st.integers(0, 400))
@example(length=1, side=128, overlap=0)
@example(length=129, side=128, overlap=64)
@example(length=130, side=128, overlap=64)
@settings(max_examples=200, deadline=None)
def test_spans_cover_a_length_evenly_and_their_weights_sum_to_one(length: int, side: int, overlap: int) -> None:
    found = spans(length, side, overlap)
    side = max(side, LEAST_SIDE)
    assert (found[0].start, found[-1].stop) == (0, length)
    total = np.zeros(-(-(length - 1) // 4) + 1)
    for span in found:
        assert span.start % 16 == 0
        assert 0 < span.stop - span.start <= side + 1
        assert (span.weights > 0).all()
        total[span.cells] += span.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    for before, after in itertools.pairwise(found):
        assert before.stop - after.start >= min(overlap, side // 2) // 16 * 16
    lengths = [span.stop - span.start for span in found]
    assert max(lengths) - min(lengths) < 16


@given(
    height=st.integers(1, 420),
    width=st.integers(1, 420),
    side=st.sampled_from([128, 144, 200]),
    overlap=st.sampled_from([None, 0, 16, 64]),
)
@example(height=1, width=1, side=128, overlap=None)
@example(height=1, width=5000, side=128, overlap=None)
@example(height=5000, width=1, side=128, overlap=None)
@example(height=386, width=131, side=128, overlap=32)
@settings(max_examples=40, deadline=None)
def test_no_seam_is_seen(height: int, width: int, side: int, overlap: int | None) -> None:
    network, rgb = Pointwise(), picture(height, width)
    told, prediction = ended(tiled(network, rgb, side, overlap))
    logits = torch.from_numpy(network.logits(rgb, None))
    size = (height, width)
    assert told == [(i + 1, len(told)) for i in range(len(network.sides) - 1)]
    assert prediction.version == "v"
    assert prediction.labels.shape == size
    other = prediction.labels != labels_of(logits, size, size).numpy()
    assert other.sum() <= 2 + 0.002 * other.size  # ties of whole numbers, which rounding decides
    assert prediction.confidence.shape == ((height - 1) // 4 + 1, (width - 1) // 4 + 1)
    assert np.abs(prediction.confidence.astype(int) - margin_of(logits, size).numpy()).max() <= 1


def test_a_picture_of_one_tile_is_predicted_as_ever() -> None:
    torch.manual_seed(3)
    network = build(replace(VARIANTS["xception_slim"], width=0.25), 4).eval()
    predictor, rgb = Predictor(network.backbone, "cpu"), picture(98, 127)
    _, prediction = ended(predict_in_tiles(predictor, rgb, network.head, 128))
    plain = predictor.predict(predictor.features(rgb), network.head, (98, 127))
    np.testing.assert_array_equal(prediction.labels, plain.labels)
    np.testing.assert_array_equal(prediction.confidence, plain.confidence)


def test_blending_goes_smoothly_from_one_tile_to_the_next() -> None:
    """Where two tiles contradict each other, each has its say by how far inside of it a cell lies."""

    class Contrary(Pointwise):
        def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
            self.sides.append(rgb.shape[:2])
            h, w = (-(-(length - 1) // 16) * 4 + 1 for length in rgb.shape[:2])
            sign = 1.0 if len(self.sides) % 2 else -1.0
            return np.stack([np.full((h, w), sign * 3), np.full((h, w), -sign * 3)]).astype("f4")

    network = Contrary()
    network.num_classes = 2
    _, prediction = ended(tiled(network, picture(16, 193), 128, 64))  # two tiles, 65 pixels in both
    assert prediction.labels[:, :64].max() == 0
    assert prediction.labels[:, 129:].min() == 1
    assert (np.diff(prediction.labels[0].astype(int)) >= 0).all()
    middle = prediction.confidence[0, 16:33].astype(int)
    assert middle[:8].tolist() == sorted(middle[:8], reverse=True)
    assert middle.min() < 60
    assert prediction.confidence[0, 0] == prediction.confidence[0, -1] > 250


def test_it_can_be_stopped_between_two_tiles() -> None:
    network = Pointwise()
    job = tiled(network, picture(300, 300), 128)
    next(job)
    next(job)
    job.close()
    assert len(network.sides) == 2
    assert network.falls_back


def test_out_of_memory_goes_on_with_smaller_tiles() -> None:
    network, rgb = Pointwise(room=150 * 150), picture(300, 500)
    told, prediction = ended(tiled(network, rgb, 512))
    assert network.notes == [
        "cuda ran out of memory; going on with tiles of 256 pixels",
        "cuda ran out of memory; going on with tiles of 128 pixels",
    ]
    assert network.sides[0] == (300, 500)
    assert max(max(sides) for sides in network.sides[2:]) == 129
    assert told[-1][0] == told[-1][1]
    size = (300, 500)
    expected = labels_of(torch.from_numpy(Pointwise().logits(rgb, None)), size, size).numpy()
    assert (prediction.labels != expected).mean() < 0.002
    assert network.falls_back


def test_out_of_memory_with_the_smallest_tiles_goes_on_on_the_cpu() -> None:
    network = Pointwise(room=100)
    ended(tiled(network, picture(300, 300), 128))
    assert network.notes == ["cuda ran out of memory; going on on the CPU"]


def test_any_other_fault_goes_up_and_leaves_the_predictor_as_it_was() -> None:
    class Broken(Pointwise):
        def logits(self, rgb: NDArray[np.uint8], _head: object) -> NDArray[np.float32]:
            raise RuntimeError("device-side assert")

    network = Broken()
    with pytest.raises(RuntimeError, match="device-side assert"):
        ended(tiled(network, picture(300, 300), 512))
    assert network.falls_back
    assert network.notes == []


def test_a_predictor_that_may_not_fall_back_says_what_it_lacks() -> None:
    class Full:
        device, taps, name = torch.device("cuda"), ("low_level", "exit"), "full"

        def __call__(self, _: torch.Tensor) -> dict[str, torch.Tensor]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    network = build(replace(VARIANTS["xception_slim"], width=0.25), 4).eval()
    predictor = Predictor(network.backbone, "cpu")
    predictor._engine = Full()  # type: ignore[assignment]
    _, prediction = ended(predict_in_tiles(predictor, picture(60, 70), network.head, 512))
    assert predictor.notes == [
        "cuda ran out of memory; going on with tiles of 256 pixels",
        "cuda ran out of memory; going on with tiles of 128 pixels",
        "cuda ran out of memory; going on on the CPU",
    ]
    assert prediction.labels.shape == (60, 70)


_MEMORY = """
    import re
    import sys
    from pathlib import Path

    import numpy as np
    import torch

    from core_model.tiles import predict_in_tiles


    class Flat:
        notes, falls_back, num_classes = [], True, 21

        def logits(self, rgb, head):
            h, w = (-(-(length - 1) // 16) * 4 + 1 for length in rgb.shape[:2])
            return np.broadcast_to(np.arange(21, dtype=np.float32)[:, None, None], (21, h, w))


    def kilobytes(name):
        return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])


    flat = Flat()
    rgb = np.broadcast_to(np.zeros(3, np.uint8), (int(sys.argv[1]), 2000, 3))
    before = kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    list(predict_in_tiles(flat, rgb, flat, 256))
    print(kilobytes("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a part")
def test_memory_grows_by_the_labels_and_not_by_the_classes() -> None:
    def peak(height: int) -> int:
        command = [sys.executable, "-c", textwrap.dedent(_MEMORY), str(height)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    low, high = peak(2000), peak(10_000)
    labels = 8000 * 2000 * (1 + 1 / 16) / 1024  # kB more; the logits of all classes would be 84 MB more
    assert high - low < 1.2 * labels + 8000
