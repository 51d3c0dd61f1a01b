"""Any sequence of changes: the document against a plain model that copies everything, and its journal against both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from unittest.mock import patch as replaced

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.arrays import Bool
from app.domain.change import Change
from app.domain.document import Document, ReviewedImage, StaleChange
from app.domain.footprint import capsule
from app.domain.guard import UNPAINTED, Guard
from app.domain.history import Entry, History, transitions
from app.domain.ink import Accepted, Ink, Label, Nothing, Restored
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.patch import apply_plane
from app.domain.prediction import Prediction

from .pictures import copy, patchwork, prediction, same, within

H, W = 21, 33


@dataclass
class State:
    mask: Mask
    reviewed: bool = False
    filled: Bool | None = None
    """What the last review filled, while it stands."""
    filled_with: int = 255

    def copy(self) -> State:
        return replace(self, mask=copy(self.mask))


@dataclass
class Plain:
    """What a document should do, said with whole copies."""

    now: State = field(default_factory=lambda: State(Mask.empty(H, W)))
    done: list[State] = field(default_factory=list)
    undone: list[State] = field(default_factory=list)

    def step(self, new: State, amend: bool = False) -> None:
        if same(new.mask, self.now.mask) and new.reviewed == self.now.reviewed:
            return
        if not amend:
            self.done.append(self.now)
        self.now, self.undone = new, []

    def put(self, where: Bool, ink: Ink, guard: Guard) -> None:
        new = self.now.copy()
        labels, provenance = new.mask.labels, new.mask.provenance
        kinds = np.where(provenance == EMPTY, UNPAINTED, labels.astype(int))
        where = where & ~np.isin(kinds, list(guard.never))
        if guard.only is not None:
            where &= np.isin(kinds, list(guard.only))
        match ink:
            case Label(label):
                labels[where], provenance[where] = label, HUMAN
            case Nothing():
                labels[where], provenance[where] = 255, EMPTY
            case Restored(said, final):
                known = said.labels != 255
                where = where & known if final else where
                labels[where] = said.labels[where]
                provenance[where] = HUMAN if final else np.where(known, MODEL, EMPTY)[where]
            case Accepted():
                provenance[where & (provenance == MODEL)] = HUMAN
        self.step(new)

    def pre_annotate(self, said: Prediction, minimum: float, amend: bool) -> None:
        new = self.now.copy()
        sure = np.zeros((H, W), bool)
        for strip, accepted in said.accepted(minimum):
            sure[strip.slices] = accepted
        free = new.mask.provenance != HUMAN
        new.mask.labels[free] = np.where(sure, said.labels, 255)[free]
        new.mask.provenance[free] = np.where(sure, MODEL, EMPTY)[free]
        self.step(new, amend)

    def review(self, unpainted: int) -> None:
        new = self.now.copy()
        if not new.reviewed:
            new.filled, new.filled_with, new.reviewed = new.mask.provenance == EMPTY, unpainted, True
            new.mask.labels[new.filled] = unpainted
            new.mask.provenance[new.filled] = HUMAN
        self.step(new)

    def unreview(self) -> None:
        new = self.now.copy()
        if new.reviewed and new.filled is not None:
            still = new.filled & (new.mask.labels == new.filled_with) & (new.mask.provenance == HUMAN)
            new.mask.labels[still] = 255
            new.mask.provenance[still] = EMPTY
        new.reviewed, new.filled = False, None
        self.step(new)

    def undo(self) -> None:
        if self.done:
            self.undone.append(self.now)
            self.now = self.done.pop()

    def redo(self) -> None:
        if self.undone:
            self.done.append(self.now)
            self.now = self.undone.pop()


seeds = st.integers(0, 99)
places = st.tuples(st.integers(-6, W + 5), st.integers(-6, H + 5))
inks: st.SearchStrategy[Ink] = st.one_of(
    st.builds(Label, st.sampled_from([0, 1, 2, 255])),
    st.just(Nothing()),
    st.builds(Restored, seeds.map(lambda seed: prediction(H, W, seed)), st.booleans()),
    st.just(Accepted()),
)
kinds = st.frozensets(st.sampled_from([0, 1, 2, 255, UNPAINTED]), max_size=3)
guards = st.just(Guard()) | st.builds(Guard, kinds, st.none() | kinds)
strokes = st.tuples(st.lists(places, min_size=1, max_size=4), st.integers(0, 7), inks, guards)
changes = st.one_of(
    st.tuples(st.just("stroke"), strokes),
    st.tuples(st.just("cancel"), strokes),
    st.tuples(st.just("make"), strokes),
    st.tuples(st.just("stale"), strokes),
    st.tuples(st.just("pre_annotate"), st.tuples(seeds, st.sampled_from([0.0, 0.3, 0.8]), st.booleans())),
    st.tuples(st.just("review"), st.sampled_from([0, 255])),
    st.tuples(st.just("unreview"), st.none()),
    st.tuples(st.just("clear"), st.none()),
    st.tuples(st.just("replace"), seeds),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("redo"), st.none()),
)


def painted(document: Document, way: list[tuple[int, int]], radius: int, ink: Ink, guard: Guard) -> Bool:
    """Paint a stroke on the document; gives what it should cover."""
    covered = np.zeros((H, W), bool)
    document.begin("Brush")
    for start, end in zip(way[:1] + way, way, strict=False):
        document.paint(*capsule(start, end, radius), ink, guard)
        covered |= within(H, W, start, end, radius or 0.5)
    return covered


def prepared(document: Document, way: list[tuple[int, int]], radius: int, ink: Ink, guard: Guard) -> Change | None:
    """The change that paints a straight stroke from the first place to the last."""
    return Change.painting(document.mask, *capsule(way[0], way[-1], radius), ink, guard)


def change(document: Document, plain: Plain, what: str, how) -> None:  # type: ignore[no-untyped-def]
    match what:
        case "stroke":
            covered = painted(document, *how)
            document.commit()
            plain.put(covered, *how[2:])
        case "cancel":
            painted(document, *how)
            document.cancel()
        case "make":
            if made := prepared(document, *how):
                document.make(made, "Wand", document.revision)
            plain.put(within(H, W, how[0][0], how[0][-1], how[1] or 0.5), *how[2:])
        case "stale":
            made, revision = prepared(document, *how), document.revision
            document.clear()
            plain.put(np.ones((H, W), bool), Nothing(), Guard())
            if made and document.revision != revision:
                with pytest.raises(StaleChange):
                    document.make(made, "Wand", revision)
        case "pre_annotate":
            said = prediction(H, W, how[0])
            try:
                document.pre_annotate(said, how[1], amend=how[2])
            except ReviewedImage:
                assert plain.now.reviewed
            else:
                assert not plain.now.reviewed
                plain.pre_annotate(said, how[1], how[2])
        case "review":
            document.set_reviewed(True, how)
            plain.review(how)
        case "unreview":
            document.set_reviewed(False)
            plain.unreview()
        case "clear":
            document.clear()
            plain.put(np.ones((H, W), bool), Nothing(), Guard())
        case "replace":
            new = patchwork(H, W, how)
            document.replace(new.labels, new.provenance, "Import")
            plain.step(replace(plain.now, mask=new))
        case "undo":
            document.undo()
            plain.undo()
        case "redo":
            document.redo()
            plain.redo()


@settings(max_examples=80, deadline=None)
@given(st.lists(changes, max_size=14), st.sampled_from([5, 16, 256]))
def test_it_is_what_a_plain_model_says(sequence: list[tuple[str, object]], tile: int) -> None:
    document, plain, journal = Document("a", Mask.empty(H, W)), Plain(), list[Entry]()
    document.on_entry.append(journal.append)
    with replaced("app.domain.edit.TILE", tile):
        for what, how in sequence:
            change(document, plain, what, how)
            assert same(document.mask, plain.now.mask), what
            assert document.reviewed == plain.now.reviewed
            assert len(document.history.done) == len(plain.done)
            assert len(document.history.undone) == len(plain.undone)
    assert [entry.sequence for entry in journal] == list(range(1, document.sequence + 1))
    replay(journal, document)
    rebuild(journal, document)
    there_and_back(document, plain)


def replay(journal: list[Entry], document: Document) -> None:
    """The journal alone, on an empty mask, makes the mask; both planes together, and each for itself."""
    together, apart, reviewed = Mask.empty(H, W), Mask.empty(H, W), False
    for entry, patches in transitions(journal):
        assert patches is not None
        for patch in patches:
            patch.apply(together)
            apply_plane(apart.labels, patch.rect, patch.labels)
            apply_plane(apart.provenance, patch.rect, patch.provenance)
        reviewed = reviewed if entry.reviewed is None else entry.reviewed
    assert same(together, document.mask)
    assert same(apart, document.mask)
    assert reviewed == document.reviewed


def rebuild(journal: list[Entry], document: Document) -> None:
    """A history from the journal is the live one; from a journal without its beginning, the newest part of it."""
    live = document.history
    for trimmed in range(len(journal) + 1):
        rebuilt = History.rebuilt(journal[trimmed:])
        assert list(rebuilt.done) == list(live.done)[len(live.done) - len(rebuilt.done) :]
        assert list(rebuilt.undone) == list(live.undone)[: len(rebuilt.undone)]
        assert rebuilt.bytes == sum(step.size for step in (*rebuilt.done, *rebuilt.undone))
        if trimmed == 0:
            assert (rebuilt.done, rebuilt.undone, rebuilt.bytes) == (live.done, live.undone, live.bytes)


def there_and_back(document: Document, plain: Plain) -> None:
    """After a restart: all the way back, and forward again."""
    later = Document("a", document.mask, history=document.history, reviewed=document.reviewed)
    for _ in plain.done[:]:
        later.undo()
        plain.undo()
        assert same(later.mask, plain.now.mask)
        assert later.reviewed == plain.now.reviewed
    for _ in plain.undone[:]:
        later.redo()
        plain.redo()
        assert same(later.mask, plain.now.mask)
    assert later.redo() is None
