"""The hand alone, without a window: one gesture at a time, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from app.domain.document import Document
from app.domain.history import Entry
from app.domain.mask import HUMAN, Mask
from app.domain.tools import TOOLS, Gesture, Pointer, Proposal, Scene, Sketch, ToolSettings
from app.domain.tools.proposing import STALE
from app.ui.canvas.hand import Hand

from ...domain.pictures import copy, patchwork, prediction, same

H, W = 40, 60
SETTINGS = ToolSettings(label=1, radius=3, tolerance=10)


@dataclass
class Heard:
    """All that a hand has said."""

    ended: int = 0
    picked: list[int] = field(default_factory=list)
    noticed: list[str] = field(default_factory=list)
    proposed: list[Proposal] = field(default_factory=list)
    sketched: list[Sketch] = field(default_factory=list)

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def document() -> Document:
    return Document("a", Mask.empty(H, W))


@pytest.fixture
def hand(document: Document) -> Iterator[Hand]:
    """With the brush, over a grey picture with a black half."""
    hand = Hand()
    hand.tool, hand.settings = TOOLS["brush"], SETTINGS
    hand.turn_to(document)
    hand.rgb = np.full((H, W, 3), 120, np.uint8)
    hand.rgb[:, W // 2 :] = 0
    yield hand
    hand.turn_to(None)


@pytest.fixture
def heard(hand: Hand) -> Heard:
    heard = Heard()
    hand.ended.connect(heard.end)
    hand.picked.connect(heard.picked.append)
    hand.noticed.connect(heard.noticed.append)
    hand.proposed.connect(heard.proposed.append)
    hand.sketched.connect(heard.sketched.append)
    return heard


def at(x: float, y: float = 10, **keys: bool) -> Pointer:
    return Pointer(x, y, reach=2, **keys)


def answer(hand: Hand, proposal: Proposal) -> None:
    hand.take(proposal, proposal.compute())


def hold(hand: Hand, tool: str, **settings: object) -> None:
    hand.tool, hand.settings = TOOLS[tool], ToolSettings(**{"label": 1, "radius": 3, "tolerance": 10, **settings})  # type: ignore[arg-type]


def clicks(hand: Hand, *places: tuple[float, float]) -> None:
    for place in places:
        hand.move(at(*place))
        hand.press(at(*place))
        hand.release(at(*place))


# From the press to the end


def test_a_stroke_lasts_from_press_to_release(hand: Hand, heard: Heard, document: Document) -> None:
    assert not hand.busy
    hand.press(at(10))
    assert (hand.busy, hand.held, hand.waiting, heard.ended) == (True, True, False, 0)
    hand.move(at(30))
    hand.release(at(30))
    assert (hand.busy, hand.held, hand.waiting, heard.ended) == (False, False, False, 1)
    assert document.history.undoable == ("Brush",)
    hand.move(at(50))
    hand.release(at(50))
    hand.confirm()
    hand.finish()
    hand.cancel()
    assert not hand.back()
    assert document.history.undoable == ("Brush",)
    assert heard.ended == 1


def test_a_polygon_waits_between_its_clicks(hand: Hand, heard: Heard, document: Document) -> None:
    hold(hand, "polygon")
    hand.press(at(5, 5))
    assert (hand.held, hand.waiting) == (True, False)
    hand.release(at(5, 5))
    assert (hand.held, hand.waiting) == (False, True)
    clicks(hand, (40, 5), (40, 30), (5, 30))
    assert heard.ended == 0
    hand.confirm()
    assert (hand.busy, heard.ended) == (False, 1)
    assert document.history.undoable == ("Polygon",)
    assert heard.sketched[-1].lines == ()


def test_back_takes_corners_but_not_while_the_button_is_down(hand: Hand, document: Document) -> None:
    hold(hand, "polygon")
    clicks(hand, (5, 5), (40, 5))
    hand.press(at(40, 30))
    assert not hand.back()
    hand.release(at(40, 30))
    assert [hand.back(), hand.back(), hand.busy, hand.back(), hand.busy, hand.back()] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    assert document.sequence == 0


def test_pressed_twice_the_first_stroke_is_finished(hand: Hand, heard: Heard, document: Document) -> None:
    hand.press(at(10))
    hand.move(at(20))
    hand.press(at(40, 30))
    assert (hand.busy, heard.ended, document.history.undoable) == (True, 1, ("Brush",))
    hand.release(at(40, 30))
    assert document.history.undoable == ("Brush", "Brush")


def test_released_twice_or_never_pressed_nothing_happens(hand: Hand, heard: Heard, document: Document) -> None:
    hand.release(at(10))
    hand.press(at(10))
    hand.release(at(10))
    hand.release(at(50))
    assert document.history.undoable == ("Brush",)
    assert heard.ended == 1


@pytest.mark.parametrize("missing", ["tool", "settings", "document"])
def test_without_all_it_needs_it_does_not_begin(hand: Hand, heard: Heard, missing: str) -> None:
    hand.turn_to(None) if missing == "document" else setattr(hand, missing, None)
    hand.press(at(10))
    assert (hand.busy, hand.held, heard.ended) == (False, False, 0)


def test_cancelled_it_leaves_no_trace_and_is_not_said_to_have_ended(
    hand: Hand, heard: Heard, document: Document
) -> None:
    hand.press(at(10))
    hand.move(at(30, straight=True))
    assert heard.sketched[-1].lines
    hand.cancel()
    assert (hand.busy, hand.held, heard.ended) == (False, False, 0)
    assert heard.sketched[-1].lines == ()
    assert same(document.mask, Mask.empty(H, W))


def test_another_tool_for_one_press(hand: Hand, heard: Heard, document: Document) -> None:
    document.replace(np.full((H, W), 2, np.uint8), np.full((H, W), HUMAN, np.uint8), "Import")
    hand.press(at(10), TOOLS["picker"])
    assert (hand.busy, hand.held) == (False, False)
    assert (heard.picked, heard.ended) == ([2], 1)
    hand.press(at(10), TOOLS["eraser"])
    hand.release(at(10))
    assert document.history.undoable == ("Import", "Eraser")


def test_a_gesture_keeps_its_tool_and_settings(hand: Hand, document: Document) -> None:
    hand.press(at(10))
    hand.tool, hand.settings = TOOLS["eraser"], ToolSettings(label=2, radius=20)
    hand.release(at(30))
    assert set(np.unique(document.mask.labels)) == {1, 255}
    assert not (document.mask.labels[17:] == 1).any()


def test_shift_goes_on_from_the_last_stroke_of_the_same_document(hand: Hand, document: Document) -> None:
    clicks(hand, (5, 5))
    hand.press(at(40, 5, straight=True))
    hand.release(at(40, 5, straight=True))
    assert (document.mask.labels[5, 5:41] == 1).all()
    other = Document("b", Mask.empty(H, W))
    hand.turn_to(other)
    hand.press(at(40, 30, straight=True))
    hand.release(at(40, 30, straight=True))
    assert not (other.mask.labels[:20] == 1).any()


def test_what_is_done_between_two_strokes_does_not_move_the_place_where_the_last_one_ended(
    hand: Hand, document: Document
) -> None:
    clicks(hand, (5, 5))
    hand.press(at(50, 30), TOOLS["picker"])
    hold(hand, "rectangle")
    hand.press(at(50, 30))
    hand.release(at(55, 35))
    hold(hand, "brush")
    hand.press(at(40, 5, straight=True))
    hand.release(at(40, 5, straight=True))
    assert (document.mask.labels[5, 5:41] == 1).all()


def test_what_cannot_be_is_said_once(hand: Hand, heard: Heard) -> None:
    hold(hand, "restore_brush")
    hand.press(at(10))
    hand.release(at(10))
    assert (hand.busy, len(heard.noticed), heard.ended) == (False, 1, 1)
    hand.prediction = prediction(W, H, 1)
    hand.press(at(10))
    assert len(heard.noticed) == 2
    hand.prediction = prediction(H, W, 1)
    hand.press(at(10))
    hand.release(at(10))
    assert len(heard.noticed) == 2


# Proposals


def test_a_proposal_is_asked_once_and_painted_when_it_is_answered(hand: Hand, heard: Heard, document: Document) -> None:
    hold(hand, "fill")
    clicks(hand, (10, 10))
    assert (hand.waiting, len(heard.proposed), document.sequence) == (True, 1, 0)
    hand.move(at(20))
    assert len(heard.proposed) == 1
    answer(hand, heard.proposed[0])
    assert (hand.busy, heard.ended, document.history.undoable) == (False, 1, ("Fill",))
    answer(hand, heard.proposed[0])
    assert document.history.undoable == ("Fill",)


def test_only_the_newest_answer_counts(hand: Hand, heard: Heard, document: Document) -> None:
    hold(hand, "wand")
    hand.press(at(10))
    hand.move(at(300))
    hand.release(at(300))
    first, last = heard.proposed
    answer(hand, first)
    assert hand.busy
    answer(hand, last)
    assert not hand.busy
    assert (document.mask.labels == 1).all()


def test_a_gesture_hears_only_the_answer_that_it_waits_for(hand: Hand, heard: Heard) -> None:
    answers = list[object]()

    class Asking(Gesture):
        def __init__(self) -> None:
            super().__init__()
            self.proposal = Proposal("First", lambda: 1)

        def move(self, pointer: Pointer) -> None:
            self.proposal = Proposal("Second", lambda: 2)

        def take(self, proposal: Proposal, result: object) -> None:
            answers.append(result)
            self.proposal = None

    class Tool:
        title, paints, round = "Test", False, False

        def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
            return Asking()

    hand.press(at(10), Tool())
    hand.move(at(20))
    for proposal in [*heard.proposed, *heard.proposed]:
        answer(hand, proposal)
    assert answers == [2]
    assert hand.busy


@pytest.mark.parametrize("end", ["cancel", "finish", "other document", "no document"])
def test_an_answer_to_a_gesture_that_is_gone_is_ignored(hand: Hand, heard: Heard, document: Document, end: str) -> None:
    hold(hand, "wand")
    hand.press(at(10))
    other = Document("b", Mask.empty(H, W))
    leave: dict[str, Callable[[], None]] = {
        "cancel": hand.cancel,
        "finish": hand.finish,
        "other document": lambda: hand.turn_to(other),
        "no document": lambda: hand.turn_to(None),
    }
    leave[end]()
    answer(hand, heard.proposed[0])
    assert not hand.busy
    assert (document.sequence, other.sequence) == (0, 0)
    assert heard.sketched == []


def test_what_could_not_be_worked_out_is_given_up(hand: Hand, heard: Heard) -> None:
    hold(hand, "wand")
    hand.press(at(10))
    hand.move(at(300))
    hand.drop(heard.proposed[0])
    assert hand.busy
    hand.drop(heard.proposed[1])
    assert (hand.busy, hand.held, heard.ended) == (False, False, 0)


@pytest.mark.parametrize("how", ["undo", "import", "prediction"])
def test_when_the_mask_changes_by_other_means_what_is_proposed_is_void(
    hand: Hand, heard: Heard, document: Document, how: str
) -> None:
    new = patchwork(H, W, 1)
    document.replace(new.labels, new.provenance, "Import")
    hold(hand, "cut_out")
    hand.press(at(5, 5))
    hand.release(at(50, 30))
    answer(hand, heard.proposed[0])
    if how == "undo":
        document.undo()
    elif how == "import":
        document.clear()
    else:
        document.pre_annotate(prediction(H, W, 1))
    now = copy(document.mask)
    assert (hand.busy, heard.ended, heard.noticed) == (False, 1, [STALE])
    assert heard.sketched[-1].preview is None
    answer(hand, heard.proposed[0])
    hand.confirm()
    assert same(document.mask, now)


def test_back_takes_what_is_only_proposed_and_no_step_before_it(hand: Hand, heard: Heard, document: Document) -> None:
    clicks(hand, (50, 30))
    hold(hand, "fill")
    clicks(hand, (10, 10))
    assert hand.back()
    assert not hand.busy
    answer(hand, heard.proposed[0])
    assert document.history.undoable == ("Brush",)
    assert not hand.back()


def test_an_import_under_an_open_polygon_does_not_end_it(hand: Hand, document: Document) -> None:
    hold(hand, "polygon")
    clicks(hand, (5, 5), (40, 5), (40, 30))
    document.replace(patchwork(H, W, 1).labels, patchwork(H, W, 1).provenance, "Import")
    assert hand.waiting
    hand.confirm()
    assert document.history.undoable == ("Import", "Polygon")


def test_its_own_pixels_are_no_other_means(hand: Hand, heard: Heard) -> None:
    told = list[str]()

    class Telling(Gesture):
        def __init__(self, scene: Scene) -> None:
            super().__init__()
            self._document = scene.document

        def move(self, pointer: Pointer) -> None:
            self._document.clear()
            self._document.undo()

        def changed(self) -> None:
            told.append("changed")

    class Tool:
        title, paints, round = "Test", False, False

        def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
            return Telling(scene)

    document = hand.document
    assert document is not None
    document.replace(patchwork(H, W, 1).labels, patchwork(H, W, 1).provenance, "Import")
    hand.press(at(10), Tool())
    hand.move(at(20))
    assert told == []
    document.clear()
    assert told == ["changed"]


# Documents


@pytest.mark.parametrize("tool", ["brush", "polygon", "rectangle"])
def test_another_document_finishes_what_is_drawn_on_the_old_one(hand: Hand, document: Document, tool: str) -> None:
    hold(hand, tool)
    other = Document("b", Mask.empty(H, W))
    hand.press(at(5, 5))
    if tool == "polygon":
        hand.release(at(5, 5))
        clicks(hand, (40, 5), (40, 30))
    hand.move(at(40, 30))
    hand.turn_to(other)
    assert (hand.busy, hand.held) == (False, False)
    assert len(document.history.undoable) == 1
    hand.move(at(50, 5))
    hand.release(at(50, 5))
    assert (other.sequence, other.editing) == (0, False)


def test_it_listens_to_one_document_only(hand: Hand, document: Document) -> None:
    other = Document("b", Mask.empty(H, W))
    for _ in range(2):
        hand.turn_to(other)
        hand.turn_to(other)
        hand.turn_to(document)
    assert (len(document.on_pixels), len(other.on_pixels)) == (1, 0)
    hand.turn_to(None)
    assert (len(document.on_pixels), len(other.on_pixels)) == (0, 0)


def test_picture_and_prediction_are_those_of_one_document(hand: Hand, heard: Heard, document: Document) -> None:
    hand.prediction = prediction(H, W, 1)
    hand.turn_to(document)
    assert hand.rgb is not None
    assert hand.prediction is not None
    hand.turn_to(Document("b", Mask.empty(2 * H, 2 * W)))
    assert hand.rgb is None
    assert hand.prediction is None
    hold(hand, "wand")
    hand.press(at(W + 5, H + 5))
    assert (hand.busy, len(heard.noticed)) == (False, 1)


# What goes wrong


def broken(_what: object) -> None:
    raise OSError("no space left")


@pytest.mark.parametrize("tool", ["brush", "rectangle", "lasso"])
@pytest.mark.parametrize("who", ["journal", "screen"])
def test_a_listener_that_fails_does_not_keep_the_gesture_alive(
    hand: Hand, heard: Heard, document: Document, tool: str, who: str
) -> None:
    hold(hand, tool)
    hand.press(at(5, 5))
    hand.move(at(40, 5, straight=tool == "brush"))
    hand.move(at(40, 30, straight=tool == "brush"))
    (document.on_entry if who == "journal" else document.on_pixels).append(broken)
    with pytest.raises(OSError, match="no space left"):
        hand.release(at(40, 30))
    assert (hand.busy, hand.held, heard.ended, document.editing) == (False, False, 1, False)
    assert heard.sketched[-1].lines == ()
    assert len(document.history.undoable) == 1


def test_nor_when_it_fails_at_the_press(hand: Hand, heard: Heard, document: Document) -> None:
    document.on_pixels.append(broken)
    with pytest.raises(OSError, match="no space left"):
        hand.press(at(5, 5))
    assert (hand.busy, hand.held, document.editing) == (False, False, False)
    document.on_pixels.remove(broken)
    clicks(hand, (5, 5))
    assert document.history.undoable == ("Brush",)


def test_nor_when_it_fails_at_the_answer(hand: Hand, heard: Heard, document: Document) -> None:
    hold(hand, "fill")
    clicks(hand, (10, 10))
    document.on_entry.append(broken)
    with pytest.raises(OSError, match="no space left"):
        answer(hand, heard.proposed[0])
    assert (hand.busy, heard.ended) == (False, 1)
    assert document.history.undoable == ("Fill",)


def test_nor_when_it_fails_at_the_cancel(hand: Hand, heard: Heard, document: Document) -> None:
    hand.press(at(5, 5))
    hand.move(at(40, 30, straight=True))
    document.on_pixels.append(broken)
    with pytest.raises(OSError, match="no space left"):
        hand.cancel()
    assert (hand.busy, hand.held, document.editing) == (False, False, False)
    assert heard.sketched[-1].lines == ()
    assert same(document.mask, Mask.empty(H, W))


def test_while_another_edit_is_open_it_does_not_begin(hand: Hand, document: Document) -> None:
    document.begin("Something else")
    with pytest.raises(RuntimeError, match="Something else"):
        hand.press(at(10))
    assert (hand.busy, hand.held) == (False, False)
    assert document.editing
    document.cancel()


@pytest.mark.parametrize("seed", range(3))
def test_every_entry_is_told_once_whatever_the_hand_does(hand: Hand, document: Document, seed: int) -> None:
    entries = list[Entry]()
    document.on_entry.append(entries.append)
    other, before = Document("b", patchwork(1, 1, seed)), patchwork(1, 1, seed)
    rgb = {id(document): hand.rgb, id(other): np.zeros((1, 1, 3), np.uint8)}
    random = np.random.default_rng(seed)
    proposed = list[Proposal]()
    hand.proposed.connect(proposed.append)
    for _ in range(400):
        x, y = random.choice([-1e12, -5.0, 3.5, 20.0, 31.2, 59.9, 70.0, np.inf, np.nan], 2)
        straight, erasing = random.random(2) < 0.3
        pointer = Pointer(x, y, straight=bool(straight), erasing=bool(erasing), reach=2)
        match random.integers(0, 10):
            case 0 | 1:
                hand.press(pointer)
            case 2 | 3:
                hand.move(pointer)
            case 4:
                hand.release(pointer)
            case 5:
                hand.confirm() if random.random() < 0.7 else hand.back()
            case 6:
                hold(hand, str(random.choice(list(TOOLS))), cell=8)
            case 7 if proposed:
                answer(hand, proposed[int(random.integers(0, len(proposed)))])
            case 8 if not document.editing:
                document.undo() if random.random() < 0.5 else document.redo()
            case 9 if random.random() < 0.3:
                hand.turn_to(other if hand.document is document else document)
                hand.rgb = rgb[id(hand.document)]
        assert document.editing + other.editing <= hand.busy
    hand.turn_to(None)
    assert not hand.busy
    assert (document.editing, other.editing) == (False, False)
    assert [entry.sequence for entry in entries] == list(range(1, document.sequence + 1))
    while document.undo() or other.undo():
        pass
    assert same(document.mask, Mask.empty(H, W))
    assert same(other.mask, before)
