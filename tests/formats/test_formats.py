"""Every format in the table keeps the contract; one that is added is tried by being there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.formats import FORMATS, Exported, Found, Pictures, Refused
from app.jobs.job import run
from app.services import open_project
from tests.services.datasets import write_voc


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_is_named_as_its_key_and_does_something(name: str) -> None:
    row = FORMATS[name]
    assert row.name == name == name.lower()
    assert row.title
    assert row.importer or row.exporter


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.importer])
def test_an_importer_refuses_rubbish_file_by_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    for folder in (tmp_path, tmp_path / "SegmentationClass"):
        for suffix in ("json", "png", "txt", "xml"):
            (folder / f"a.{suffix}").write_bytes(b"\x89PNG rubbish {")
    importer = FORMATS[name].importer
    assert importer is not None
    items = list(importer(tmp_path, Pictures({"a": tmp_path / "a.jpg"})))
    assert items
    for item in items:
        assert isinstance(item, Refused)
        assert item.reason
        assert "\n" not in item.reason


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.exporter])
def test_an_exporter_writes_the_reviewed_images_and_no_others(name: str, tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", pictures=4, masks=2))
    exporter = FORMATS[name].exporter
    assert exporter is not None
    result = run(exporter(project, tmp_path / "out"))
    project.close()
    assert result == Exported(2, tmp_path / "out")
    assert any((tmp_path / "out").rglob("p00*"))
    assert not any((tmp_path / "out").rglob("p02*"))


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.importer and row.exporter])
def test_what_was_written_reads_back_the_same(name: str, tmp_path: Path) -> None:
    project = open_project(write_voc(tmp_path / "V", pictures=3, masks=3))
    row = FORMATS[name]
    assert row.exporter is not None
    assert row.importer is not None
    run(row.exporter(project, tmp_path / "out"))
    pictures = Pictures({record.id: project.pictures / record.file for record in project.catalogue.images()})
    items = list(row.importer(tmp_path / "out", pictures))
    assert len(items) == 3
    for item in items:
        assert isinstance(item, Found)
        original = project.read_mask(item.image_id)[0]
        names = project.settings.classes.names
        table = [*(names.index(one) for one in item.names), *[255] * (256 - len(item.names))]
        assert [[table[value] for value in line] for line in item.mask.labels] == original.labels.tolist()
    project.close()
