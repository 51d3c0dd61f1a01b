"""The superpixel brush: whole patches of alike pixels, by touching them."""

from __future__ import annotations

from functools import partial

from app.domain.area import NOTHING, Area, joined
from app.domain.change import Change
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.ink import Ink, Label, Nothing
from app.domain.superpixels import Superpixels
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


class _Touching(Proposing):
    """A stroke that is widened to the superpixels under it; with Ctrl it empties them."""

    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene.document, None if pointer.erasing else settings.label)
        self._cells = Superpixels(scene.picture, settings.cell)
        self._settings = settings
        self._ink: Ink = Nothing() if pointer.erasing else Label(settings.label)
        self._pixel = pointer.pixel
        self._way: tuple[Area, ...] = ()
        self._seen = 0  # how much of the way has been looked up (by the worker)
        self._touched = NOTHING  # what that much touches
        self._touch(pointer)

    def move(self, pointer: Pointer) -> None:
        """More patches."""
        if not self.over and not self._meant and pointer.pixel != self._pixel:
            self._touch(pointer)

    def release(self, pointer: Pointer) -> None:
        """That is it."""
        self.move(pointer)
        self.confirm()

    def _touch(self, pointer: Pointer) -> None:
        start, self._pixel = self._pixel, pointer.pixel
        picture, settings = Rect.of(self._document.mask.labels), self._settings
        area = capsule(start, self._pixel, settings.radius_at(pointer.pressure), picture, settings.shape)
        if not area[0].empty:
            self._way += (area,)
            self.propose(partial(self._painted, self._way))

    def _painted(self, way: tuple[Area, ...]) -> Change | None:
        """The change for that much of the way; only what is new of it is looked up."""
        if len(way) > self._seen:
            new = self._cells.touched(joined(way[self._seen :]))
            self._seen, self._touched = len(way), joined((self._touched, new))
        return Change.painting(self._document.mask, *self._touched, self._ink, self._settings.guard)


SUPERPIXEL_BRUSH = Tool("Superpixel brush", _Touching, round=True, looks=True)
