from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.document import Document
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.ink import Label, Nothing
from app.ui.canvas.layers import LabelLayer
from app.ui.canvas.overlay import Overlay, Style
from app.ui.canvas.photo import Photo
from app.ui.canvas.tone import AS_IT_IS, Tone
from app.ui.canvas.view_cache import STALE_RECTS, ViewCache
from app.ui.canvas.viewport import Viewport

WIDTH, HEIGHT = 317, 203

dabs = st.tuples(
    st.just("dab"), st.integers(-30, WIDTH + 30), st.integers(-30, HEIGHT + 30), st.integers(0, 40), st.integers(0, 255)
)
pans = st.tuples(st.just("pan"), st.integers(-200, 200), st.integers(-200, 200))
zooms = st.tuples(st.just("zoom"), st.floats(0.1, 20), st.integers(0, 160), st.integers(0, 120))
sizes = st.tuples(st.just("size"), st.integers(0, 180), st.integers(0, 140))
styles = st.one_of(
    st.tuples(st.just("opacity"), st.floats(0, 1)),
    st.tuples(st.just("outlined")),
    st.tuples(st.just("tone"), st.floats(-0.2, 0.2), st.floats(0.5, 1)),
    st.tuples(st.just("swipe"), st.one_of(st.none(), st.integers(-5, 180))),
)


@dataclass
class Recording:
    """Draws as the original does, and remembers how much."""

    original: Overlay | Photo
    pixels: int = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.original, name)

    def draw(self, viewport: Viewport, rect: Rect, out: np.ndarray, *tone: Tone) -> None:
        self.pixels += rect.width * rect.height
        self.original.draw(viewport, rect, out, *tone)


def photo() -> Photo:
    """Noise of half the range: the error of Qt's fixed-point weights grows with contrast, a wrong place still shows."""
    return Photo.of(np.random.default_rng(5).integers(64, 192, (HEIGHT, WIDTH, 3), np.uint8))


def dab(document: Document, x: int, y: int, radius: int, label: int) -> Rect:
    document.begin("dab")
    changed = document.paint(*capsule((x, y), (x + 5, y + 9), radius), Nothing() if label == 255 else Label(label))
    document.commit()
    return changed


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(dabs, pans, zooms, sizes, styles), max_size=15))
def test_whatever_happened_the_arrays_are_what_a_new_cache_would_draw(scribbled, classes, acts: list[tuple]) -> None:
    document = scribbled(HEIGHT, WIDTH)
    picture, overlay, tone = photo(), Overlay(document, Style(classes, 0.5)), AS_IT_IS
    cache = ViewCache(picture, overlay, grid=True)
    document.on_pixels.append(cache.touch)
    view = Viewport(161, 121, WIDTH, HEIGHT).fitted()
    cache.bring_to(view)
    for act, *numbers in acts:
        match act:
            case "dab":
                dab(document, *numbers)
                if numbers[0] % 2:  # two dabs or a dab and a pan before the next frame
                    continue
            case "pan":
                view = view.moved(*numbers)
            case "zoom":
                view = view.zoomed(*numbers)
            case "size":
                view = view.resized(*numbers)
            case "opacity":
                overlay.style = replace(overlay.style, opacity=numbers[0])
                cache.recolour()
            case "outlined":
                overlay.style = replace(overlay.style, outlined=not overlay.style.outlined)
                cache.touch_view(view.rect)
            case "tone":
                tone = Tone(*numbers)
                cache.set_tone(tone)
            case "swipe":
                overlay.layer, overlay.swipe = LabelLayer(document.mask.provenance), *numbers
                cache.touch_view(view.rect)
        cache.bring_to(view)
        new = ViewCache(picture, overlay, tone, grid=True)
        new.bring_to(view)
        difference = np.abs(cache.screen.view(np.uint8).astype(int) - new.screen.view(np.uint8))
        # The smooth part rounds places to 1/32 of a pixel from where it starts; the noise is of half the range.
        assert difference.max(initial=0) <= (0 if view.zoom >= 1 else 2 * 128 / 32)


@pytest.mark.parametrize("dx", [-161, -160, -3, -1, 0, 1, 3, 160, 161])
@pytest.mark.parametrize("dy", [-121, -120, -2, -1, 0, 1, 2, 120, 121])
def test_every_pan_moves_what_is_there(scribbled, classes, dx: int, dy: int) -> None:
    picture, overlay = photo(), Overlay(scribbled(HEIGHT, WIDTH), Style(classes, 0.5))
    cache, new = ViewCache(picture, overlay), ViewCache(picture, overlay)
    view = Viewport(161, 121, WIDTH, HEIGHT).fitted().zoomed(2.3, 80, 60)
    cache.bring_to(view)
    cache.bring_to(view.moved(dx, dy))
    new.bring_to(view.moved(dx, dy))
    assert (cache.screen == new.screen).all()


def test_only_what_changed_is_drawn(scribbled, classes) -> None:
    document = scribbled(HEIGHT, WIDTH)
    picture, overlay = Recording(photo()), Recording(Overlay(document, Style(classes, 0.5)))
    cache = ViewCache(picture, overlay)
    document.on_pixels.append(cache.touch)
    view = Viewport(160, 120, WIDTH, HEIGHT).fitted().zoomed(3.3, 80, 60)

    def drawn(view: Viewport) -> tuple[int, int]:
        picture.pixels = overlay.pixels = 0
        cache.bring_to(view)
        return picture.pixels, overlay.pixels

    whole = 160 * 120
    assert drawn(view) == (whole, whole)
    assert drawn(view) == (0, 0)
    assert drawn(view.moved(3, 0)) == (3 * 120, 3 * 120)
    assert drawn(view.moved(3, -2)) == (2 * 160, 2 * 160)
    x, y = (round(place) for place in view.to_picture(80, 60))
    changed = dab(document, x, y, 4, 2)
    photo_pixels, overlay_pixels = drawn(view.moved(3, -2))
    assert photo_pixels == 0
    assert 0 < overlay_pixels <= (changed.width * 3.3 + 5) * (changed.height * 3.3 + 5)
    dab(document, -1000, -1000, 4, 2)
    assert drawn(view.moved(3, -2)) == (0, 0)
    assert drawn(view.moved(3, -2).zoomed(3.4, 80, 60)) == (whole, whole)


def test_many_changes_between_two_frames_are_drawn_as_one(scribbled, classes) -> None:
    document = scribbled(HEIGHT, WIDTH)
    overlay = Recording(Overlay(document, Style(classes, 0.5)))
    cache = ViewCache(photo(), overlay)
    document.on_pixels.append(cache.touch)
    view = Viewport(160, 120, WIDTH, HEIGHT).fitted().zoomed(1, 80, 60)
    cache.bring_to(view)
    overlay.pixels = 0
    for _ in range(10 * STALE_RECTS):
        dab(document, WIDTH // 2, HEIGHT // 2, 20, 3)
    cache.bring_to(view)
    assert overlay.pixels < STALE_RECTS * 60 * 60
    new = ViewCache(photo(), overlay)
    new.bring_to(view)
    assert (cache.screen == new.screen).all()
