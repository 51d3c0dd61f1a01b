"""Scores on disk: one an image and version, the newest review last."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.agreement import Agreement, Confusion
from app.storage import database
from app.storage.agreement import AgreementTable, ScoreRecord
from app.storage.catalogue import Catalogue
from app.storage.database import SCHEMA_VERSION, Database, open_catalogue
from app.storage.errors import ReadOnlyProject
from app.storage.project import Project

SCORE = ScoreRecord("a", "quick-1", 3, False, Agreement(Confusion({(0, 0): 8, (255, 1): 2}), Confusion({})))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "catalogue.sqlite3")
    yield made
    made.close()


def test_scores_come_back_in_the_order_of_the_reviews(opened: Database) -> None:
    table = AgreementTable(opened)
    assert table.scores() == []
    other = replace(SCORE, image="b", version="quick-2", learnt=True)
    table.put(SCORE)
    table.put(other)
    assert AgreementTable(opened).scores() == [SCORE, other]
    again = replace(SCORE, sequence=9, agreement=Agreement(Confusion({(1, 1): 1}), Confusion({(1, 1): 1})))
    table.put(again)
    assert table.scores() == [other, again]
    table.put(replace(SCORE, version="quick-2"))
    assert [(score.image, score.version) for score in table.scores()] == [
        ("b", "quick-2"), ("a", "quick-1"), ("a", "quick-2"),
    ]  # fmt: skip


def test_what_is_no_longer_reviewed_is_not_scored(opened: Database) -> None:
    table = AgreementTable(opened)
    table.put(SCORE)
    table.put(replace(SCORE, image="b"))
    assert table.remove("a")
    assert not table.remove("a")
    assert [score.image for score in table.scores()] == ["b"]


def test_a_version_knows_what_it_and_its_parents_learnt_from(opened: Database) -> None:
    table = AgreementTable(opened)
    assert table.learnt("quick-1", "a") is None
    table.note_learnt("quick-1", {"a": 4, "b": 2})
    table.note_learnt("quick-2", {"a": 9, "c": 1}, parent="quick-1")
    assert [table.learnt("quick-2", image_id) for image_id in "abcd"] == [4, 2, 1, None]
    assert [table.learnt("quick-1", image_id) for image_id in "abc"] == [4, 2, None]
    table.note_learnt("quick-1", {"a": 8})
    assert table.learnt("quick-1", "a") == 4
    table.forget_version("quick-1")
    assert table.learnt("quick-1", "a") is None
    assert table.learnt("quick-2", "b") == 2


def test_scores_follow_a_version_to_its_new_name_and_outlive_it(opened: Database) -> None:
    catalogue = Catalogue(opened)
    catalogue.agreement.put(SCORE)
    catalogue.agreement.put(replace(SCORE, version="best"))
    catalogue.agreement.note_learnt("quick-1", {"b": 1})
    catalogue.rename_model("quick-1", "best")
    assert [(score.version, score.image) for score in catalogue.agreement.scores()] == [("best", "a")]
    assert catalogue.agreement.learnt("best", "b") == 1
    catalogue.remove_model("best")
    assert len(catalogue.agreement.scores()) == 1
    assert catalogue.agreement.learnt("best", "b") is None


def older(path: Path) -> None:
    """A catalogue as the first version of the program left it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{database._SCHEMAS[0]} PRAGMA user_version = 1;")
        connection.execute("INSERT INTO state VALUES ('kept', 'yes')")
        connection.commit()


def test_an_older_catalogue_gets_what_it_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    older(path)
    for _ in range(2):
        made = Database(path)
        assert made.read("PRAGMA user_version") == [(SCHEMA_VERSION,)]
        assert made.read("SELECT * FROM state") == [("kept", "yes")]
        AgreementTable(made).put(SCORE)
        assert AgreementTable(made).scores() == [SCORE]
        made.close()


def test_an_older_catalogue_that_cannot_be_written_is_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    older(path)
    before = path.read_bytes()
    made, found = open_catalogue(path, writable=False)
    assert found is None
    assert Catalogue(made).get("kept") == "yes"
    assert AgreementTable(made).scores() == []
    made.close()
    assert path.read_bytes() == before


def test_a_project_keeps_its_scores_and_refuses_new_ones_when_it_is_read_only(pictures: Path, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "P", pictures, ["a", "b"])
    project.catalogue.agreement.put(SCORE)
    project.close()
    project = Project.open(tmp_path / "P", read_only=True)
    assert project.catalogue.agreement.scores() == [SCORE]
    with pytest.raises(ReadOnlyProject):
        project.catalogue.agreement.put(SCORE)
    project.close()
