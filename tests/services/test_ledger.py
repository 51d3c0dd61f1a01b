"""What the child has to be told, and what a head holds."""

from __future__ import annotations

from app.services.ledger import Correction, Ledger
from app.storage.catalogue import ImageRecord


def record(image_id: str, sequence: int) -> ImageRecord:
    return ImageRecord(image_id, f"{image_id}.png", sequence=sequence)


def wanted(held_out: str = "", **revisions: int) -> dict[str, Correction]:
    return {key: Correction(record(key, n), held_out=key in held_out.split()) for key, n in revisions.items()}


def sent(ledger: Ledger) -> list[str]:
    """Takes and sends what there is."""
    taken = []
    while (correction := ledger.take()) is not None:
        ledger.sent(correction)
        taken.append(correction.record.id)
    return taken


def test_the_newest_is_sent_first_and_not_too_many_at_once() -> None:
    ledger = Ledger()
    ledger.compare(wanted(a=1, b=1, c=1), set(), 0.0)
    assert sent(ledger) == ["c", "b"]
    assert ledger.looked_at("c", 2) is None
    assert ledger.looked_at("c", 1) is not None
    assert sent(ledger) == ["a"]
    ledger.send_again()
    assert sent(ledger) == ["a", "b"]


def test_only_what_has_changed_is_sent_again() -> None:
    ledger = Ledger()
    ledger.remember({"a": 1, "b": 1, "c": -1}, {"h": 4})
    assert ledger.known == 3
    ledger.compare(wanted("h", a=1, b=2, c=1, h=4), {"h"}, 0.0)
    assert sorted(sent(ledger)) == ["b", "c"]
    assert ledger.unheld == 2


def test_since_when_somebody_waited() -> None:
    ledger = Ledger()
    ledger.compare(wanted(a=1), set(), 1.0)
    ledger.compare(wanted(a=1, b=1), set(), 2.0)
    assert ledger.hold({"b": 1, "x": 3}) == 2.0
    assert ledger.hold({"a": 0, "b": 1}) is None
    ledger.give_up("a")
    assert ledger.unheld == 0


def test_held_out_pictures_wait_for_all_others() -> None:
    ledger = Ledger()
    ledger.compare(wanted("h", a=1, h=1), {"h"}, 0.0)
    assert sent(ledger) == ["a"]
    ledger.hold({"a": 1})
    assert sent(ledger) == ["h"]
    assert ledger.known == 1


def test_what_is_gone_is_forgotten_at_once_and_what_is_kept_back_when_nobody_waits() -> None:
    ledger = Ledger()
    ledger.remember({"a": 1, "b": 2, "c": 3}, {"h": 4})
    ledger.compare(wanted(c=5), {"b", "h"}, 0.0)
    assert list(ledger.forgotten()) == [("a", 1)]
    ledger.hold({"c": 5})
    assert list(ledger.forgotten()) == [("b", 2), ("h", 4)]
    assert list(ledger.forgotten()) == []


def test_what_comes_back_before_it_was_told_is_not_forgotten() -> None:
    ledger = Ledger()
    ledger.remember({"a": 1}, {})
    ledger.compare({}, {"a"}, 0.0)
    ledger.compare(wanted(a=1), set(), 0.0)
    assert list(ledger.forgotten()) == []
    assert sent(ledger) == ["a"]
