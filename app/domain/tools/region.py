"""The region tool: a click on a connected region gives it another class, fills its holes, grows, shrinks, smooths or
deletes it."""

from __future__ import annotations

from app.domain import regions
from app.domain.area import Area, on
from app.domain.arrays import Bool
from app.domain.change import Change
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Ink, Label, Nothing
from app.domain.mask import EMPTY
from app.domain.tools.gesture import Gesture, Refused
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


def _region(title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
    """One click: it is meant as it is pressed. What a region loses becomes empty; what it gains is a person's word."""
    mask, (x, y) = scene.document.mask, pointer.pixel
    if mask.provenance[y, x] == EMPTY and settings.action != "class":
        return Refused("There is no region here: nobody has said anything of this pixel.")
    label = int(mask.labels[y, x])
    shown = {"class": settings.label, "delete": None}.get(settings.action, label)
    gesture = Proposing(f"{title}: {settings.action}", scene.document, shown, meant=True)
    gesture.propose(lambda: _change(scene.document, (x, y), label, settings))
    return gesture


def _change(document: Document, seed: tuple[int, int], label: int, settings: ToolSettings) -> Change | None:
    mask = document.mask
    within = Rect.of(mask.labels)
    region = regions.region_at(mask.labels, mask.provenance, seed)
    if settings.action == "class":
        return Change.painting(mask, *region, Label(settings.label), settings.guard)
    if settings.action == "delete":
        return Change.painting(mask, *region, Nothing(), settings.guard)
    if settings.action == "fill holes":
        return _reshaped(document, region, regions.filled(region), label, settings)
    reshape = {"grow": regions.grown, "shrink": regions.shrunk, "smooth": regions.smoothed}[settings.action]
    return _reshaped(document, region, reshape(region, settings.amount, within), label, settings)


def _reshaped(document: Document, old: Area, new: Area, label: int, settings: ToolSettings) -> Change | None:
    """The region as it is becomes the region as it will be."""
    rect = old[0].union(new[0])
    before, after = on(rect, old), on(rect, new)
    labels, provenance = document.mask.labels[rect.slices].copy(), document.mask.provenance[rect.slices].copy()
    admitted = settings.guard.admits(labels, provenance)
    steps: list[tuple[Ink, Bool]] = [(Nothing(), before & ~after), (Label(label), after & ~before)]
    for ink, where in steps:
        ink.put(rect, labels, provenance, where if admitted is None else where & admitted)
    return Change.between(document.mask, rect, labels, provenance)


REGION = Tool("Region", _region, inside=True)
