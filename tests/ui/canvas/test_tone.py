from __future__ import annotations

import numpy as np
import pytest

from app.ui.canvas.photo import BACKGROUND, Photo
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.canvas.viewport import Viewport


def test_as_it_is_changes_nothing() -> None:
    assert (AS_IT_IS.table() == np.arange(256)).all()


@pytest.mark.parametrize(
    ("tone", "value", "shown"),
    [
        (Tone(black=50, white=150), 50, 0),
        (Tone(black=50, white=150), 150, 255),
        (Tone(black=50, white=150), 100, 128),
        (Tone(gamma=2.0), 64, round(255 * (64 / 255) ** 0.5)),
        (Tone(brightness=0.5), 0, 128),
        (Tone(brightness=-1.0), 255, 0),
        (Tone(contrast=0.0), 3, 128),
        (Tone(contrast=2.0), 64, round(255 * ((64 / 255 - 0.5) * 2 + 0.5))),
    ],
)
def test_each_number_does_what_its_name_says(tone: Tone, value: int, shown: int) -> None:
    assert tone.table()[value] == shown


@pytest.mark.parametrize("wrong", [{"black": 9, "white": 9}, {"gamma": 0}, {"contrast": -1}, {"black": -1}])
def test_what_cannot_be_shown_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        Tone(**wrong)


@pytest.mark.parametrize("zoom", [0.37, 1.0, 3.0])
def test_the_photo_has_it_and_what_is_around_has_not(zoom: float) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (60, 80, 3), np.uint8)
    view = Viewport(300, 200, 80, 60).fitted().zoomed(zoom, 150, 100)
    tone = Tone(brightness=0.1, contrast=1.4, gamma=0.7)
    plain, toned = (np.empty((200, 300), np.uint32) for _ in range(2))
    Photo.of(rgb).draw(view, view.rect, plain)
    Photo.of(rgb).draw(view, view.rect, toned, tone)
    inside = np.zeros(plain.shape, bool)
    inside[view.samples(view.rect)[0].slices] = True
    assert (toned[~inside] == BACKGROUND).all()
    colours = plain[inside].view(np.uint8).reshape(-1, 4)
    expected = np.column_stack([tone.table()[colours[:, :3]], colours[:, 3]])
    assert (toned[inside].view(np.uint8).reshape(-1, 4) == expected).all()
