"""The list's model: filter, search, neighbours, and a hundred thousand rows."""

from __future__ import annotations

from itertools import islice
from time import perf_counter

import pytest
from pytestqt.modeltest import ModelTester

from app.storage.catalogue import STATUSES, ImageRecord
from app.ui.panels.images_model import FILTERS, ImagesModel

pytestmark = pytest.mark.window


def records(count: int) -> list[ImageRecord]:
    return [
        ImageRecord(f"{n:06}", f"{n:06}.jpg", status=STATUSES[n % 5], problem="torn" if n % 7 == 3 else None)
        for n in range(count)
    ]


def shown(model: ImagesModel) -> list[str]:
    return [str(model.image_at(row)) for row in range(model.rowCount())]


def test_there_is_a_filter_for_every_status_that_the_catalogue_knows() -> None:
    assert list(FILTERS) == ["all", *STATUSES, "problem"]


def test_it_is_a_model_as_qt_wants_it(qtmodeltester: ModelTester) -> None:
    model = ImagesModel()
    qtmodeltester.check(model)
    model.reset(records(9))
    model.show_only("reviewed", "")
    model.drop_stale(None)


def test_filter_and_search_narrow_it() -> None:
    model = ImagesModel()
    model.reset(records(20))
    model.show_only("reviewed", "")
    assert shown(model) == ["000003", "000008", "000013", "000018"]
    model.show_only("reviewed", "00001")
    assert shown(model) == ["000013", "000018"]
    model.show_only("problem", "")
    assert shown(model) == ["000003", "000010", "000017"]
    assert (model.count(), model.count("reviewed"), model.count("problem")) == (20, 4, 3)


def test_a_changed_image_stays_in_its_row_until_it_is_left() -> None:
    model = ImagesModel()
    model.reset(records(10))
    model.show_only("untouched", "")
    assert shown(model) == ["000000", "000005"]
    model.update(ImageRecord("000000", "000000.jpg", status="reviewed"))
    assert shown(model) == ["000000", "000005"]
    assert model.count("reviewed") == 3
    model.drop_stale("000000")
    assert shown(model) == ["000000", "000005"]
    model.drop_stale("000005")
    assert shown(model) == ["000005"]


def test_neighbours_go_both_ways_and_start_at_the_ends() -> None:
    model = ImagesModel()
    model.reset(records(5))
    assert [record.id for record in model.neighbours("000003", 1)] == ["000004"]
    assert [record.id for record in model.neighbours("000002", -1)] == ["000001", "000000"]
    assert [record.id for record in model.neighbours(None, 1)] == [f"{n:06}" for n in range(5)]
    assert next(iter(model.neighbours("unknown", -1))).id == "000004"


def test_a_hundred_thousand_rows_cost_what_a_plain_loop_costs() -> None:
    many = records(100_000)
    start = perf_counter()
    plain = [
        record.id for record in many if "reviewed" in (record.status, record.problem) and "7" in record.file.casefold()
    ]
    reference = perf_counter() - start
    model = ImagesModel()
    model.reset(many)
    start = perf_counter()
    model.show_only("reviewed", "7")
    took = perf_counter() - start
    assert shown(model) == plain
    assert took < 20 * reference + 0.05
    assert [record.id for record in islice(model.neighbours(plain[0], 1), 1)] == plain[1:2]
