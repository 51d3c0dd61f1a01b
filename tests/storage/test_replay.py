"""The rule by which files and journal become one mask: see replay.load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.history import Entry, History
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.patch import PatchMismatch
from app.storage import planes, replay
from app.storage.errors import MaskProblem, UnreadableMask
from app.storage.mask_files import VOC_PALETTE, Found
from app.storage.project import Project
from tests.storage.conftest import HEIGHT, WIDTH, labels, opened, stroke


class Told:
    """A document that remembers every state it was in."""

    def __init__(self, start: Mask) -> None:
        self.document = Document("x", copy(start))
        self.states = [copy(start)]
        self.entries: list[Entry] = []
        self.document.on_entry.append(self._note)

    def _note(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.states.append(copy(self.document.mask))

    def found(self, labels_at: int, provenance_at: int) -> Found:
        return Found(
            self.states[labels_at].labels.copy(),
            labels_at,
            self.states[provenance_at].provenance.copy(),
            provenance_at,
        )


def copy(mask: Mask) -> Mask:
    return Mask(mask.labels.copy(), mask.provenance.copy())


def same(one: Mask, other: Mask) -> bool:
    return np.array_equal(one.labels, other.labels) and np.array_equal(one.provenance, other.provenance)


def worked_on(start: Mask, acts: int = 9, seed: int = 0) -> Told:
    told = Told(start)
    random = np.random.default_rng(seed)
    while len(told.entries) < acts:
        act = random.integers(0, 6)
        if act == 0:
            told.document.undo()
        elif act == 1:
            told.document.redo()
        else:
            x, y = (int(v) for v in random.integers(-3, 40, 2))
            stroke(told.document, x, y, 9, [0, 1, 255, None][act - 2])
    return told


STARTS = {"empty": lambda: Mask.empty(HEIGHT, WIDTH), "dataset": lambda: Mask.from_labels(labels())}


@pytest.mark.parametrize("start", STARTS)
@given(st.integers(0, 1000), st.data())
@settings(max_examples=40, deadline=None)
def test_any_age_of_the_two_files_gives_the_last_state(start: str, seed: int, data: st.DataObject) -> None:
    told = worked_on(STARTS[start](), seed=seed)
    last = len(told.entries)
    at = st.integers(0, last)
    loaded = replay.load(told.found(data.draw(at), data.draw(at)), told.entries, WIDTH, HEIGHT)
    assert loaded.outcome == "fits"
    assert same(loaded.mask, told.document.mask)
    assert loaded.sequence == last
    assert loaded.history.undoable == told.document.history.undoable
    assert loaded.history.redoable == told.document.history.redoable


@pytest.mark.parametrize("kept", range(10))
def test_a_trimmed_journal_is_enough_for_files_that_are_as_new(kept: int) -> None:
    told = worked_on(STARTS["dataset"](), seed=4)
    last = len(told.entries)
    entries = told.entries[last - kept :] if kept else []
    loaded = replay.load(told.found(last, last), entries, WIDTH, HEIGHT)
    assert loaded.outcome == "fits"
    assert same(loaded.mask, told.document.mask)
    assert loaded.sequence == last


def test_without_files_the_journal_is_enough() -> None:
    told = worked_on(STARTS["empty"]())
    loaded = replay.load(Found(None, 0, None, 0), told.entries, WIDTH, HEIGHT)
    assert loaded.outcome == "fits"
    assert loaded.behind
    assert same(loaded.mask, told.document.mask)


def test_a_mask_of_a_dataset_is_human_and_its_255_void() -> None:
    loaded = replay.load(Found(labels(), 0, None, 0), [], WIDTH, HEIGHT)
    assert loaded.outcome == "fits"
    assert (loaded.mask.provenance == HUMAN).all()
    assert np.array_equal(loaded.mask.labels, labels())


@pytest.mark.parametrize("number", [0, 5])
def test_another_programs_mask_is_set_aside_when_the_journal_is_complete(number: int) -> None:
    told = worked_on(STARTS["empty"](), seed=2)
    foreign = Found(labels(7), min(number, len(told.entries)), told.document.mask.provenance.copy(), len(told.entries))
    loaded = replay.load(foreign, told.entries, WIDTH, HEIGHT)
    assert loaded.outcome == "restored"
    assert "not the one" in loaded.why
    assert same(loaded.mask, told.document.mask)
    assert loaded.history.undoable == told.document.history.undoable


def test_an_unreadable_mask_is_restored_from_a_complete_journal() -> None:
    told = worked_on(STARTS["empty"]())
    loaded = replay.load(None, told.entries, WIDTH, HEIGHT)
    assert (loaded.outcome, same(loaded.mask, told.document.mask)) == ("restored", True)


def test_a_journal_that_began_on_a_dataset_s_mask_does_not_fit_an_empty_one() -> None:
    told = worked_on(STARTS["dataset"]())
    with pytest.raises(PatchMismatch):
        replay.load(None, told.entries, WIDTH, HEIGHT)
    good = copy(told.document.mask)
    loaded = replay.load(None, told.entries, WIDTH, HEIGHT, lambda sequence: good if sequence == 9 else None)
    assert loaded.outcome == "restored"
    assert same(loaded.mask, good)


def test_what_the_saver_has_in_memory_comes_before_another_programs_mask() -> None:
    told = worked_on(STARTS["dataset"](), seed=1)
    foreign = Found(labels(7), 0, None, 0)
    kept = replay.load(foreign, told.entries, WIDTH, HEIGHT)
    assert kept.outcome == "kept"
    assert np.array_equal(kept.mask.labels, labels(7))
    assert (kept.mask.provenance == HUMAN).all()
    assert (kept.sequence, kept.history.undoable) == (0, ())
    good = copy(told.document.mask)
    restored = replay.load(foreign, told.entries, WIDTH, HEIGHT, lambda sequence: good)
    assert (restored.outcome, same(restored.mask, good)) == ("restored", True)


def test_a_missing_entry_is_noticed() -> None:
    told = Told(STARTS["empty"]())
    for number in range(6):
        stroke(told.document, 7 * number, 3)
    entries = [entry for entry in told.entries if entry.sequence != 3]
    loaded = replay.load(told.found(1, 1), entries, WIDTH, HEIGHT)
    assert loaded.outcome == "kept"
    assert "missing" in loaded.why
    loaded = replay.load(told.found(4, 4), entries, WIDTH, HEIGHT)
    assert loaded.outcome == "fits"  # it is in the files


def test_files_newer_than_the_journal_are_the_mask() -> None:
    told = worked_on(STARTS["empty"](), seed=2)
    last = len(told.entries)
    loaded = replay.load(told.found(last, last), told.entries[:3], WIDTH, HEIGHT)
    assert (loaded.outcome, loaded.sequence, loaded.history.undoable) == ("kept", last, ())
    assert same(loaded.mask, told.document.mask)


def test_two_ages_without_a_journal_leave_the_doubt_to_the_person() -> None:
    found = Found(
        np.array([[1, 1, 1, 255, 255]], np.uint8), 4, np.array([[EMPTY, MODEL, HUMAN, MODEL, EMPTY]], np.uint8), 5
    )
    loaded = replay.load(found, [], 5, 1)
    assert loaded.mask.provenance.tolist() == [[HUMAN, MODEL, HUMAN, EMPTY, EMPTY]]
    assert (loaded.outcome, loaded.sequence) == ("kept", 5)


def test_labels_of_another_program_beside_our_provenance_without_journal() -> None:
    loaded = replay.load(Found(labels(7), 0, np.zeros((HEIGHT, WIDTH), np.uint8), 5), [], WIDTH, HEIGHT)
    assert (loaded.outcome, loaded.sequence) == ("kept", 0)
    assert (loaded.mask.provenance == HUMAN).all()


def test_our_labels_without_provenance_are_human() -> None:
    loaded = replay.load(Found(labels(7), 6, None, 0), [], WIDTH, HEIGHT)
    assert (loaded.outcome, loaded.sequence) == ("fits", 6)
    assert (loaded.mask.provenance == HUMAN).all()
    document = Document("x", loaded.mask, history=loaded.history, sequence=loaded.sequence)
    stroke(document, 1, 1)
    assert document.sequence == 7


# The same on disk


def edited(project: Project, image_id: str = "a1", strokes: int = 4) -> Mask:
    document = opened(project, image_id)
    for number in range(strokes):
        stroke(document, 6 * number, 4, 9, [1, 2, 255, 0][number % 4])
    project.saver.flush()
    assert project.saver.failures == {}
    return document.mask


def reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.root)


def test_files_hold_the_work_and_their_numbers(project: Project) -> None:
    mask = edited(project)
    assert planes.read(project.mask_path("a1"))[1] == planes.read(project.provenance_path("a1"))[1] == 4
    assert project.catalogue.image("a1").sequence == 4
    again = reopened(project)
    assert same(again.load("a1").mask, mask)
    assert again.read_mask("a1")[1:] == (4, 4)
    assert again.load("a1").history.undoable == ("Brush",) * 4
    again.close()


def test_a_foreign_mask_over_ours_is_set_aside_and_named(project: Project) -> None:
    mask = edited(project)
    project.close()
    planes.atomic.write(project.mask_path("a1"), (foreign := _png(labels(9))))
    again = Project.open(project.root)
    loaded = again.load("a1")
    assert same(loaded.mask, mask)
    (warning,) = again.warnings
    assert "restored from the journal" in warning
    assert str(project.mask_path("a1")) in warning
    aside = project.root / ".atrous/set_aside/a1.png.set-aside-1"
    assert aside.read_bytes() == foreign
    again.saver.flush()
    assert same(again.load("a1").mask, mask)
    assert len(again.warnings) == 1
    assert np.array_equal(planes.read(again.mask_path("a1"))[0], mask.labels)
    again.close()


def test_a_foreign_mask_that_the_journal_cannot_replace_is_shown(dataset: Path) -> None:
    project = Project.open(dataset)
    edited(project, "c4")
    project.close()
    planes.atomic.write(project.mask_path("c4"), _png(labels(9)))
    again = Project.open(dataset)
    again.warnings.clear()
    document = opened(again, "c4")
    assert np.array_equal(document.mask.labels, labels(9))
    assert (document.mask.provenance == HUMAN).all()
    assert document.history.undoable == ()
    assert "shown as it is" in again.warnings[0]
    assert len(again.journal.entries("c4\n1")) == 4
    stroke(document, 0, 0, label=2 if labels(9)[0, 0] != 2 else 1)
    again.saver.flush()
    assert again.saver.failures == {}
    third = reopened(again)
    assert same(third.load("c4").mask, document.mask)
    assert third.load("c4").history.undoable == ("Brush",)
    assert third.warnings == []
    third.close()


def test_another_programs_mask_before_the_first_save(dataset: Path) -> None:
    """The saver has no copy yet, and the journal cannot do without the mask that was there."""
    project = Project.open(dataset)
    document = opened(project, "c4")
    stroke(document, 0, 0, 20, 1)
    stroke(document, 9, 9, 20, 2)
    planes.atomic.write(project.mask_path("c4"), _png(labels(9)))
    project.saver.flush()
    assert "not the one" in project.saver.failures["c4"]
    assert project.mask_path("c4").read_bytes() == _png(labels(9))
    again = opened(project, "c4")
    assert np.array_equal(again.mask.labels, labels(9))
    assert project.saver.failures == {}
    assert len(project.journal.entries("c4\n1")) == 2
    stroke(again, 0, 0, 20, 1)
    project.saver.flush()
    assert project.saver.failures == {}
    assert np.array_equal(planes.read(project.mask_path("c4"))[0], again.mask.labels)
    project.close()


def test_another_programs_mask_while_strokes_wait_for_the_saver(dataset: Path) -> None:
    project = Project.open(dataset)
    document = opened(project, "c4")
    stroke(document, 0, 0, 20, 1)
    project.saver.flush()
    stroke(document, 9, 9, 20, 2)
    planes.atomic.write(project.mask_path("c4"), _png(labels(9)))
    project.warnings.clear()
    assert same(opened(project, "c4").mask, document.mask)
    project.saver.flush()
    assert np.array_equal(planes.read(project.mask_path("c4"))[0], document.mask.labels)
    assert len(project.warnings) == len(list((dataset / ".atrous/set_aside").glob("c4.png*"))) == 1
    project.close()


def test_a_deleted_mask_is_written_again(project: Project) -> None:
    mask = edited(project)
    project.close()
    project.mask_path("a1").unlink()
    again = Project.open(project.root)
    assert same(again.load("a1").mask, mask)
    again.saver.flush()
    assert np.array_equal(planes.read(again.mask_path("a1"))[0], mask.labels)
    again.close()


def test_deleted_provenance(project: Project) -> None:
    mask = edited(project)
    project.close()
    project.provenance_path("a1").unlink()
    again = Project.open(project.root)
    assert same(again.load("a1").mask, mask)
    again.close()


def test_a_truncated_mask_is_restored_or_reported(project: Project, dataset: Path) -> None:
    mask = edited(project)
    path = project.mask_path("a1")
    path.write_bytes(path.read_bytes()[:-60])
    again = reopened(project)
    assert same(again.load("a1").mask, mask)
    again.close()
    other = Project.open(dataset)
    path = other.mask_path("c4")
    path.write_bytes(broken := path.read_bytes()[:60])
    with pytest.raises(UnreadableMask, match="truncated"):
        other.load("c4")
    assert "truncated" in (other.catalogue.image("c4").problem or "")
    assert path.read_bytes() == broken
    other.close()


@pytest.mark.parametrize("kind", ["size", "class"])
def test_a_mask_that_is_not_of_this_project_stays_untouched(project: Project, kind: str) -> None:
    edited(project)
    wrong = labels(1, WIDTH + 1) if kind == "size" else np.where(labels(1) == 2, 37, labels(1)).astype(np.uint8)
    path = project.mask_path("a1")
    planes.write(path, wrong, VOC_PALETTE, 4)
    before = path.read_bytes()
    again = reopened(project)
    with pytest.raises(MaskProblem, match="49 x 32" if kind == "size" else "class 37"):
        again.load("a1")
    assert "left untouched" in (again.catalogue.image("a1").problem or "")
    again.saver.feed("a1", Entry(5, 5, "do", "Brush", None, None))
    again.saver.flush()
    assert "left untouched" in again.saver.failures["a1"]
    assert path.read_bytes() == before
    path.unlink()
    again.load("a1")
    assert again.catalogue.image("a1").problem is None
    again.close()


def test_a_provenance_file_of_nonsense_is_done_without(dataset: Path) -> None:
    project = Project.open(dataset)
    path = project.provenance_path("c0")
    for nonsense in (b"nonsense", _png(np.full((HEIGHT, WIDTH), 77, np.uint8)), _png(np.zeros((3, 3), np.uint8))):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(nonsense)
        assert (project.load("c0").mask.provenance == HUMAN).all()
    project.close()


def test_undo_reaches_over_a_restart(project: Project) -> None:
    edited(project)
    again = reopened(project)
    document = opened(again, "a1")
    for _ in range(4):
        document.undo()
    assert (document.mask.provenance == EMPTY).all()
    again.saver.flush()
    assert (planes.read(again.provenance_path("a1"))[0] == EMPTY).all()
    third = reopened(again)
    document = opened(third, "a1")
    document.redo()
    third.saver.flush()
    assert (document.mask.provenance == HUMAN).sum() == 81
    assert third.saver.failures == {}
    third.close()


def test_the_history_of_a_loaded_mask_is_within_its_budget() -> None:
    told = worked_on(STARTS["empty"]())
    loaded = replay.load(told.found(2, 2), told.entries, WIDTH, HEIGHT)
    assert loaded.history.budget == History().budget
    assert Rect.of(loaded.mask.labels).width == WIDTH


def _png(plane: np.ndarray) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, "PNG")
    return buffer.getvalue()
