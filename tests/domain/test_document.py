from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.document import Document, EditUnderWay, ReviewedImage
from app.domain.geometry import Rect
from app.domain.history import Entry, History
from app.domain.ink import Label, Nothing
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.patch import PatchMismatch
from app.domain.prediction import Prediction

from .pictures import copy, patchwork, prediction, same

SQUARE = np.ones((4, 4), bool)


def stroke(document: Document, x: int, label: int | None = 1) -> Entry | None:
    document.begin("Brush")
    document.paint(Rect(x, 3, 4, 4), SQUARE, Nothing() if label is None else Label(label))
    return document.commit()


@pytest.fixture
def document() -> Document:
    return Document("a", Mask.empty(20, 30))


def test_a_stroke_is_one_step_of_its_name(document: Document) -> None:
    entry = stroke(document, 5)
    assert entry is not None
    assert (entry.sequence, entry.step, entry.action, entry.name, entry.reviewed) == (1, 1, "do", "Brush", None)
    assert entry.patch is not None
    assert entry.patch.rect == Rect(5, 3, 4, 4)
    assert document.history.undoable == ("Brush",)
    assert document.sequence == 1
    assert (document.mask.labels == 1).sum() == (document.mask.provenance == HUMAN).sum() == 16


@pytest.mark.parametrize(("label", "stored", "origin"), [(3, 3, HUMAN), (255, 255, HUMAN), (None, 255, EMPTY)])
def test_what_painting_writes(document: Document, label: int | None, stored: int, origin: int) -> None:
    stroke(document, 5, 1)
    stroke(document, 5, label)
    assert (document.mask.labels[3:7, 5:9] == stored).all()
    assert (document.mask.provenance[3:7, 5:9] == origin).all()


def test_painting_what_is_there_already_is_no_step(document: Document) -> None:
    stroke(document, 5)
    assert stroke(document, 5) is None
    assert document.history.undoable == ("Brush",)
    entry = stroke(document, 7)
    assert entry is not None
    assert entry.patch is not None
    assert entry.patch.rect == Rect(9, 3, 2, 4)  # only what differs


def test_a_model_pixel_becomes_human_although_its_class_stays(document: Document) -> None:
    document.pre_annotate(Prediction(np.ones((20, 30), np.uint8), np.full((5, 8), 255, np.uint8), "v"))
    entry = stroke(document, 5, 1)
    assert entry is not None
    assert (document.mask.provenance == HUMAN).sum() == 16


@pytest.mark.parametrize(
    ("rect", "inside"),
    [
        (Rect(-2, -2, 4, 4), Rect(0, 0, 2, 2)),
        (Rect(28, 18, 4, 4), Rect(28, 18, 2, 2)),
        (Rect(-40, 3, 4, 4), Rect(0, 0, 0, 0)),
        (Rect(10**9, -(10**9), 4, 4), Rect(0, 0, 0, 0)),
    ],
)
def test_what_lies_outside_is_left_out(document: Document, rect: Rect, inside: Rect) -> None:
    document.begin("Brush")
    changed = document.paint(rect, SQUARE, Label(1))
    assert changed == inside or (changed.empty and inside.empty)
    assert (document.mask.labels == 1).sum() == inside.width * inside.height
    assert (document.commit() is None) == inside.empty


def test_one_change_at_a_time(document: Document) -> None:
    document.begin("Brush")
    said = prediction(20, 30, 1)
    others: list[Callable[[], object]] = [
        lambda: document.begin("Eraser"),
        lambda: document.pre_annotate(said),
        document.clear,
        lambda: document.set_reviewed(True),
        lambda: document.replace(document.mask.labels, document.mask.provenance, "Import"),
    ]
    for other in others:
        with pytest.raises(EditUnderWay, match="Brush"):
            other()
    assert document.undo() is None
    assert document.redo() is None
    assert document.editing
    document.cancel()
    assert not document.editing
    for late in (lambda: document.paint(Rect(0, 0, 4, 4), SQUARE, Label(1)), document.commit):
        with pytest.raises(EditUnderWay, match="begin first"):
            late()


def test_a_cancelled_stroke_leaves_no_trace(document: Document) -> None:
    stroke(document, 5)
    before, told = copy(document.mask), []
    document.on_entry.append(told.append)
    document.begin("Brush")
    document.paint(Rect(6, 4, 4, 4), SQUARE, Label(2))
    document.cancel()
    document.cancel()
    assert same(document.mask, before)
    assert (document.sequence, document.history.undoable, told) == (1, ("Brush",), [])


def test_listeners_hear_of_pixels_as_they_change_and_of_entries_when_all_is_consistent(document: Document) -> None:
    pixels: list[tuple[Rect, int]] = []
    entries: list[tuple[Entry, int, bool, int]] = []
    document.on_pixels.append(lambda rect: pixels.append((rect, document.revision)))
    document.on_entry.append(
        lambda entry: entries.append((entry, document.sequence, document.editing, len(document.history.done)))
    )
    document.begin("Brush")
    document.paint(Rect(5, 3, 4, 4), SQUARE, Label(1))
    assert pixels == [(Rect(5, 3, 4, 4), 1)]
    entry = document.commit()
    undone = document.undo()
    assert entries == [(entry, 1, False, 1), (undone, 2, False, 0)]
    assert pixels[-1] == (Rect(5, 3, 4, 4), document.revision)


def test_a_full_disk_keeps_the_stroke_and_is_told_to_the_caller(document: Document) -> None:
    heard: list[Entry] = []

    def full(_: Entry) -> None:
        raise OSError("no space left on device")

    def broken(_: Entry) -> None:
        raise ValueError("and this")

    document.on_entry += [full, heard.append, broken]
    document.begin("Brush")
    document.paint(Rect(5, 3, 4, 4), SQUARE, Label(1))
    with pytest.raises(OSError, match="no space left") as caught:
        document.commit()
    assert caught.value.__notes__ == ["After that, too: and this"]
    assert [entry.sequence for entry in heard] == [1]
    assert (document.mask.labels == 1).sum() == 16
    assert (document.sequence, document.editing, document.history.undoable) == (1, False, ("Brush",))
    document.on_entry.clear()
    document.undo()
    assert same(document.mask, Mask.empty(20, 30))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(0, 999), st.floats(0, 1), st.booleans())
def test_a_model_never_overwrites_a_person(mask_seed: int, seed: int, minimum: float, amend: bool) -> None:
    document = Document("a", patchwork(21, 33, mask_seed))
    before, said = copy(document.mask), prediction(21, 33, seed)
    document.pre_annotate(said, minimum, amend=amend)
    human = before.provenance == HUMAN
    assert np.array_equal(document.mask.provenance == HUMAN, human)
    assert np.array_equal(document.mask.labels[human], before.labels[human])
    model = document.mask.provenance == MODEL
    assert np.array_equal(document.mask.labels[model], said.labels[model])
    assert (document.mask.labels[document.mask.provenance == EMPTY] == 255).all()
    assert not (document.mask.labels[model] == 255).any()


def test_without_a_minimum_every_free_pixel_becomes_the_prediction(document: Document) -> None:
    stroke(document, 5)
    said = prediction(20, 30, 1)
    document.pre_annotate(said)
    free = document.mask.provenance != HUMAN
    assert np.array_equal(document.mask.labels[free], said.labels[free])


def test_a_prediction_is_a_step_of_the_name_that_it_is_given(document: Document) -> None:
    document.pre_annotate(prediction(20, 30, 1))
    stroke(document, 5)
    document.pre_annotate(prediction(20, 30, 2), amend=True, name="Fill from strokes")
    document.pre_annotate(prediction(20, 30, 3), name="Fill from strokes")
    assert document.history.undoable == ("Pre-annotate", "Brush", "Fill from strokes")


def test_where_a_better_model_is_unsure_the_earlier_word_goes(document: Document) -> None:
    sure = Prediction(np.ones((20, 30), np.uint8), np.full((5, 8), 200, np.uint8), "one")
    document.pre_annotate(sure, 0.5)
    assert (document.mask.provenance == MODEL).all()
    document.pre_annotate(Prediction(sure.labels, np.full((5, 8), 100, np.uint8), "two"), 0.5)
    assert same(document.mask, Mask.empty(20, 30))


def test_no_model_writes_to_a_reviewed_image(document: Document) -> None:
    document.set_reviewed(True)
    before = copy(document.mask)
    with pytest.raises(ReviewedImage):
        document.pre_annotate(prediction(20, 30, 1))
    assert same(document.mask, before)


def test_a_prediction_of_another_picture_is_a_mistake(document: Document) -> None:
    with pytest.raises(ValueError, match="prediction of"):
        document.pre_annotate(prediction(20, 31, 1))


def test_what_the_program_adds_is_undone_with_the_step_of_the_person(document: Document) -> None:
    stroke(document, 5)
    document.pre_annotate(prediction(20, 30, 1), amend=True)
    assert document.history.undoable == ("Brush",)
    after = copy(document.mask)
    document.undo()
    assert same(document.mask, Mask.empty(20, 30))
    document.redo()
    assert same(document.mask, after)


def test_what_the_program_adds_to_no_step_cannot_be_undone(document: Document) -> None:
    entry = document.pre_annotate(prediction(20, 30, 1), amend=True)
    assert entry is not None
    assert (entry.sequence, entry.step) == (1, 0)
    assert document.undo() is None


@pytest.mark.parametrize("unpainted", [0, 255])
def test_a_review_fills_what_is_empty_and_taking_it_back_empties_that(unpainted: int) -> None:
    mask = patchwork(20, 30, 7)
    document, before = Document("a", copy(mask)), mask
    entry = document.set_reviewed(True, unpainted)
    empty = before.provenance == EMPTY
    assert entry is not None
    assert (entry.reviewed, document.reviewed) == (True, True)
    assert (document.mask.labels[empty] == unpainted).all()
    assert (document.mask.provenance[empty] == HUMAN).all()
    assert np.array_equal(document.mask.labels[~empty], before.labels[~empty])
    assert document.set_reviewed(True, unpainted) is None

    stroke(document, 5, 2)
    corrected = np.zeros_like(empty)
    corrected[3:7, 5:9] = True
    assert document.set_reviewed(False) is not None
    assert not document.reviewed
    assert (document.mask.provenance[empty & ~corrected] == EMPTY).all()
    assert (document.mask.labels[empty & ~corrected] == 255).all()
    assert (document.mask.labels[corrected] == 2).all()
    rest = ~empty & ~corrected
    assert np.array_equal(document.mask.labels[rest], before.labels[rest])
    assert np.array_equal(document.mask.provenance[rest], before.provenance[rest])


def test_a_review_is_part_of_a_step(document: Document) -> None:
    document.set_reviewed(True, 255)
    document.set_reviewed(False)
    states = []
    for action in (document.undo, document.undo, document.redo, document.redo):
        entry = action()
        assert entry is not None
        states.append((entry.action, entry.reviewed, document.reviewed))
    assert states == [("undo", True, True), ("undo", False, False), ("redo", True, True), ("redo", False, False)]


def test_a_full_mask_is_reviewed_without_a_change_of_pixels() -> None:
    document, pixels = Document("a", Mask.from_labels(np.zeros((2, 3), np.uint8))), list[Rect]()
    document.on_pixels.append(pixels.append)
    entry = document.set_reviewed(True)
    assert entry is not None
    assert entry.patch is None
    assert (document.revision, pixels) == (0, [])
    document.undo()
    assert not document.reviewed


def test_what_was_imported_into_a_reviewed_image_stays_when_that_is_taken_back(document: Document) -> None:
    document.set_reviewed(True, 0)
    model = Mask.from_labels(np.zeros((20, 30), np.uint8), MODEL)
    document.replace(model.labels, model.provenance, "Import")
    document.set_reviewed(False)
    assert same(document.mask, model)


def test_a_review_older_than_the_history_is_taken_back_without_touching_pixels() -> None:
    mask = patchwork(20, 30, 7)
    document = Document("a", copy(mask), reviewed=True)
    entry = document.set_reviewed(False)
    assert entry is not None
    assert entry.patch is None
    assert not document.reviewed
    assert same(document.mask, mask)


def test_clear_and_replace_are_one_step_each(document: Document) -> None:
    other = patchwork(20, 30, 3)
    assert document.clear() is None
    document.replace(other.labels, other.provenance, "Import")
    assert same(document.mask, other)
    assert document.mask.labels is not other.labels
    assert document.replace(other.labels, other.provenance, "Import") is None
    document.clear()
    assert same(document.mask, Mask.empty(20, 30))
    assert document.history.undoable == ("Import", "Clear")
    document.undo()
    assert same(document.mask, other)
    with pytest.raises(ValueError, match="for a picture of"):
        document.replace(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), "Import")


def test_a_failure_in_the_middle_of_a_whole_change_is_rolled_back(document: Document) -> None:
    class Breaking(Prediction):
        def accepted(self, min_confidence: float):  # type: ignore[no-untyped-def]
            yield next(super().accepted(min_confidence))
            raise MemoryError

    document = Document("a", Mask.empty(100, 30))
    said = prediction(100, 30, 1)
    with pytest.raises(MemoryError):
        document.pre_annotate(Breaking(said.labels, said.confidence, "v"))
    assert same(document.mask, Mask.empty(100, 30))
    assert not document.editing


def test_a_mask_changed_behind_its_back_is_not_undone_over(document: Document) -> None:
    stroke(document, 5)
    beside = np.full((20, 30), 255, np.uint8)
    beside[:, 20:] = 2
    document.pre_annotate(Prediction(beside, np.full((5, 8), 255, np.uint8), "v"), amend=True)
    document.mask.labels[3, 5] = 9  # under the stroke, not under the fill: that one is taken back first, and put again
    before = copy(document.mask)
    with pytest.raises(PatchMismatch):
        document.undo()
    assert same(document.mask, before)
    assert document.undo() is None


def test_a_history_that_ends_elsewhere_is_forgotten(document: Document) -> None:
    stroke(document, 5)
    later = Document("a", document.mask, history=document.history, sequence=7)
    assert later.history.undoable == ()
    entry = stroke(later, 9)
    assert entry is not None
    assert (entry.sequence, later.history.undoable) == (8, ("Brush",))


def test_a_history_that_ends_here_goes_on(document: Document) -> None:
    entries: list[Entry] = []
    document.on_entry.append(entries.append)
    stroke(document, 5)
    later = Document("a", document.mask, history=History.rebuilt(entries), sequence=1)
    later.undo()
    assert same(later.mask, Mask.empty(20, 30))


@given(st.integers(0, 999))
def test_what_stays_by_a_fills_word_is_not_written(seed: int) -> None:
    mask = patchwork(20, 30, seed)
    before, said = copy(mask), prediction(20, 30, seed)
    stays = np.random.default_rng(seed).random(said.confidence.shape) < 0.5
    Document("a", mask).pre_annotate(replace(said, stays=stays))
    everywhere = copy(before)
    Document("a", everywhere).pre_annotate(said)
    staying = replace(said, stays=stays).staying(Rect.of(mask.labels)) & (before.provenance == MODEL)
    expected = Mask(
        np.where(staying, before.labels, everywhere.labels), np.where(staying, MODEL, everywhere.provenance)
    )
    assert same(mask, expected)
