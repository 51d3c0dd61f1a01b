from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import grabcut
from app.domain.arrays import Bool, UInt8
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.grabcut import cut_out

from .areas import laid_out, locked, speckled


def flower(height: int, width: int) -> tuple[UInt8, Bool]:
    """A noisy picture of one object with petals, and where it is."""
    y, x = np.mgrid[:height, :width]
    angle, radius = np.arctan2(y - height / 2, x - width / 2), np.hypot(y / height - 0.5, x / width - 0.5)
    marked = radius < 0.25 + 0.05 * np.sin(7 * angle)
    noise = np.random.default_rng(1).normal(0, 14, (height, width, 3))
    colours = np.where(marked[..., None], (170, 90, 60), (70, 110, 100)) + noise
    return locked(cv2.GaussianBlur(np.clip(colours, 0, 255), (0, 0), 1).astype(np.uint8)), locked(marked)


def likeness(one: Bool, other: Bool) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_an_object_in_a_box() -> None:
    rgb, marked = flower(200, 240)
    box = Rect(36, 30, 168, 140)
    assert likeness(laid_out(cut_out(rgb, box), 200, 240), marked) > 0.95


def test_a_large_box_has_its_border_at_full_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabcut, "_COARSE", 64)
    monkeypatch.setattr(grabcut, "_TILE", 96)
    rgb, marked = flower(400, 480)
    box = Rect(72, 60, 336, 280)
    fine = likeness(laid_out(cut_out(rgb, box), 400, 480), marked)
    monkeypatch.setattr(grabcut, "_FINE", 64)
    coarse = likeness(laid_out(cut_out(rgb, box), 400, 480), marked)
    assert fine > 0.97 > coarse


def test_what_a_person_has_said_is_so() -> None:
    rgb, _ = flower(200, 240)
    box = Rect(36, 30, 168, 140)
    sure_in, sure_out = (np.zeros((140, 168), bool) for _ in range(2))
    for hint, place in ((sure_in, (8, 8)), (sure_out, (84, 70)), (sure_in, (84, 70))):
        rect, disc = capsule(place, place, 6)
        hint[rect.slices] = disc
    after = laid_out(cut_out(rgb, box, locked(sure_in), locked(sure_out)), 200, 240)[box.slices]
    assert after[sure_in & ~sure_out].all()
    assert not after[sure_out].any()


def test_a_thin_stroke_on_a_large_box_holds_to_the_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabcut, "_COARSE", 48)
    monkeypatch.setattr(grabcut, "_FINE", 96)
    rgb, _ = flower(400, 480)
    box = Rect(72, 60, 336, 280)
    sure_in, sure_out = (np.zeros((280, 336), bool) for _ in range(2))
    sure_in[5, 10:300] = sure_out[140, 100:200] = True
    after = laid_out(cut_out(rgb, box, locked(sure_in), locked(sure_out)), 400, 480)[box.slices]
    assert after[sure_in].all()
    assert not after[sure_out].any()


def test_a_box_that_is_the_whole_picture_takes_its_rim_for_background() -> None:
    rgb, marked = flower(200, 240)
    assert likeness(laid_out(cut_out(rgb, Rect(0, 0, 240, 200)), 200, 240), marked) > 0.95


def test_the_same_question_has_the_same_answer_in_every_thread() -> None:
    noise = np.random.default_rng(3).normal(0, 1, (150, 200, 3))
    clouds = cv2.GaussianBlur(noise, (0, 0), 6)  # of so many colours that chance decides which five are taken for means
    rgb = locked(cv2.normalize(clouds, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))
    box = Rect(30, 30, 140, 90)
    sure_in = np.zeros((90, 140), bool)
    sure_in[30:60, 40:90] = True
    first = cut_out(rgb, box, sure_in)
    with ThreadPoolExecutor(2) as threads:
        for area in [cut_out(rgb, box, sure_in), *threads.map(lambda _: cut_out(rgb, box, sure_in), range(3))]:
            assert area[0] == first[0]
            assert np.array_equal(area[1], first[1])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.integers(0, 99), st.data())
def test_any_box_and_any_hints_of_a_tiny_picture(
    height: int, width: int, levels: int, seed: int, data: st.DataObject
) -> None:
    rgb = speckled(height, width, levels, seed)
    box = Rect(*(data.draw(st.integers(-2, 8)) for _ in range(2)), *(data.draw(st.integers(1, 14)) for _ in range(2)))
    rng = np.random.default_rng(seed)
    hints = [
        None if share is None else locked(rng.random((box.height, box.width)) < share)
        for share in data.draw(st.tuples(*[st.sampled_from([None, 0, 0.2, 1])] * 2))
    ]
    area = cut_out(rgb, box, *hints)
    marked = laid_out(area, height, width) if not area[0].empty else np.zeros((height, width), bool)
    inside = box.clipped(width, height)
    said = np.s_[inside.y - box.y : inside.bottom - box.y, inside.x - box.x : inside.right - box.x]
    within = marked[inside.slices].copy()
    marked[inside.slices] = False
    assert not marked.any()
    if hints[1] is not None:
        assert not within[hints[1][said]].any()
    if hints[0] is not None and not inside.empty:
        sure = hints[0][said] if hints[1] is None else hints[0][said] & ~hints[1][said]
        assert within[sure].all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_pictures(shape: tuple[int, int]) -> None:
    rgb = locked(np.full((*shape, 3), 128, np.uint8))
    everything = Rect.of(rgb)
    for hint in (None, np.ones(shape, bool)):
        rect, _ = cut_out(rgb, everything, hint)
        assert everything.contains(rect)
    assert cut_out(rgb, everything, None, np.ones(shape, bool))[0].empty
    assert cut_out(rgb, everything, np.ones(shape, bool))[0] == everything


def test_a_box_outside_the_picture_is_nothing() -> None:
    assert cut_out(speckled(9, 9, 3, 0), Rect(20, 20, 5, 5))[0].empty
