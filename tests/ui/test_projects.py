"""Ways into a project, and what can be wrong with one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.services import create_project, open_project
from app.storage.catalogue import ModelRecord
from app.ui.dialogs.export import ExportDialog
from app.ui.dialogs.new_project import NewProjectDialog
from tests.ui.window import CLASSES, WAIT, Hand, write_scenes

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def dialog() -> NewProjectDialog:
    return next(
        each for each in QApplication.topLevelWidgets() if isinstance(each, NewProjectDialog) and each.isVisible()
    )


def dialog_is_open() -> bool:
    return any(isinstance(each, NewProjectDialog) and each.isVisible() for each in QApplication.topLevelWidgets())


def test_plain_pictures_become_a_project_beside_them(hand: Start, tmp_path: Path) -> None:
    pictures = write_scenes(tmp_path / "Ferien ü")
    window = hand()
    window.answers.folders.append(pictures)
    window.key(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    window.until(dialog_is_open)
    asked = dialog()
    assert asked.pictures.text() == str(pictures)
    assert asked.root.text() == str(tmp_path / "Ferien ü labels")
    asked.classes.add("tree", (1, 2, 3))
    assert asked.unpainted.currentText() == "background"
    with window.qtbot.waitSignal(window.program.shown, timeout=WAIT):
        asked.ok.click()
    assert window.document.image_id == "a"
    settings = window.program.desk.project.settings
    assert settings.classes.names == ("background", "tree")
    assert settings.classes[1].color == (1, 2, 3)
    assert settings.unpainted == "background"
    assert (tmp_path / "Ferien ü labels" / "atrous.toml").is_file()
    assert sorted(path.name for path in pictures.iterdir()) == ["a.png", "b.png", "c.png", "d.png"]


def test_a_new_project_says_what_is_missing(hand: Start, tmp_path: Path) -> None:
    window = hand()
    window.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    window.until(dialog_is_open)
    asked = dialog()
    assert not asked.ok.isEnabled()
    asked.pictures.setText(str(tmp_path / "nothing here"))
    assert "not there" in asked.problem.text()
    asked.pictures.setText(str(write_scenes(tmp_path / "pictures")))
    assert asked.ok.isEnabled()
    asked.classes.add("background")
    assert "background" in asked.problem.text()
    assert not asked.ok.isEnabled()
    asked.reject()


def test_a_project_that_is_none_is_refused_in_one_line(hand: Start, tmp_path: Path) -> None:
    window = hand()
    window.program.begin(tmp_path / "gone")
    window.until(lambda: bool(window.messages))
    assert "gone" in window.messages[0]
    assert window.place.window.messages.isVisible()


def test_a_picture_that_cannot_be_read_is_listed_and_passed_over(hand: Start, tmp_path: Path) -> None:
    pictures = write_scenes(tmp_path / "pictures")
    (pictures / "b.png").write_bytes((pictures / "b.png").read_bytes()[:400])
    (pictures / "c.png").write_bytes(b"")
    create_project(tmp_path / "project", pictures, CLASSES).close()
    window = hand()
    window.open(tmp_path / "project")
    assert window.go(Qt.Key.Key_D) == "d"
    model = window.place.images.model
    assert model.record("b").problem
    assert model.record("c").problem
    window.key(Qt.Key.Key_6, Qt.KeyboardModifier.ControlModifier)
    assert model.rowCount() == 2
    assert "b.png" in model.index(0).data(Qt.ItemDataRole.ToolTipRole)


def test_a_mask_of_another_size_is_said_and_left_alone(hand: Start, project: Path) -> None:
    wrong = project / "SegmentationClass" / "b.png"
    wrong.parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(wrong)
    before = wrong.read_bytes()
    window = hand()
    window.open(project)
    assert window.go(Qt.Key.Key_D) == "c"
    assert any("9 x 7" in text for text in window.messages)
    window.saved()
    assert wrong.read_bytes() == before


def test_pictures_that_moved_are_found_again(hand: Start, project: Path, tmp_path: Path) -> None:
    first = hand()
    first.open(project)
    first.stroke((20, 30), (60, 30))
    painted = first.document.mask.labels.copy()
    first.close()
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    second = hand()
    second.program.begin(project)
    bar = second.place.window.messages
    second.until(lambda: bar.isVisible() and bar.remedy.isVisible())
    assert bar.remedy.text() == "Locate…"
    second.answers.folders.append(tmp_path / "elsewhere")
    with second.qtbot.waitSignal(second.program.shown, timeout=WAIT):
        bar.remedy.click()
    assert (second.document.mask.labels == painted).all()


def test_newcomers_are_found(hand: Start, project: Path, tmp_path: Path) -> None:
    window = hand()
    window.open(project)
    write_scenes(tmp_path / "pictures", 6)
    window.key(Qt.Key.Key_F5)
    window.until(lambda: window.place.images.model.count() == 6)
    assert "2 new" in window.messages[-1]


def test_a_second_window_reads_only_and_says_so(hand: Start, project: Path) -> None:
    first = hand()
    first.open(project)
    second = hand(settings="other.ini")
    second.open(project)
    assert second.program.desk.project.read_only
    assert second.messages
    second.stroke((20, 30), (60, 30))
    assert (second.document.mask.labels == 255).all()
    assert not second.place.actions["brush"].isEnabled()
    assert second.place.actions["next"].isEnabled()


def test_classes_are_added_renamed_and_recoloured_while_indices_stay(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_3)
    window.stroke((30, 40), (60, 40))
    panel = window.place.classes
    panel.start_rename(2)
    window.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.type("crate")
    window.key(Qt.Key.Key_Return)
    window.until(lambda: window.program.desk.project.settings.classes[2].name == "crate")
    assert not window.document.reviewed
    window.answers.colors.append((10, 200, 30))
    panel.recolor.click()
    assert window.program.desk.project.settings.classes[2].color == (10, 200, 30)
    window.place.canvas.setFocus()
    window.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window.type("stone")
    window.key(Qt.Key.Key_Return)
    window.until(lambda: window.program.desk.project.settings.classes.names == ("sky", "grass", "crate", "stone"))
    assert window.place.painting.label == 3
    assert window.document.mask.labels[40, 45] == 2
    window.close()
    assert (project / "class_names.txt").read_text().split() == ["sky", "grass", "crate", "stone"]


def test_the_models_know_a_renamed_class_under_its_new_name(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    card = {"classes": list(CLASSES), "backbone": "", "created": "", "scores": None, "learnt_from": {}}
    catalogue = window.program.desk.project.catalogue
    window.program.desk.project.model_dir.mkdir(parents=True)
    (window.program.desk.project.model_dir / "quick-1.safetensors").touch()
    catalogue.add_model(ModelRecord("quick-1", "", json.dumps(card), ""))
    window.program.desk.class_edits.rename(2, "crate")
    assert json.loads(catalogue.model("quick-1").card)["classes"] == ["sky", "grass", "crate"]


def test_two_classes_of_one_name_are_refused(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.program.desk.class_edits.rename(2, "sky")
    assert window.program.desk.project.settings.classes.names == CLASSES
    assert "keeps its name" in window.messages[-1]


def test_another_project_can_be_opened_in_the_same_window(hand: Start, project: Path, tmp_path: Path) -> None:
    create_project(tmp_path / "other", write_scenes(tmp_path / "more", 2), ("ground",)).close()
    window = hand()
    window.open(project)
    window.stroke((20, 30), (60, 30))
    window.open(tmp_path / "other")
    assert window.place.images.model.count() == 2
    assert window.place.painting.label == 0
    assert np.asarray(Image.open(project / "SegmentationClass" / "a.png"))[30, 40] == 0
    open_project(project).close()  # it has been let go of
    window.place.canvas.setFocus()
    window.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert window.program.desk.project.settings.classes.names == ("ground", "class 1")


def test_what_cannot_be_opened_leaves_the_open_project_alone(hand: Start, project: Path, tmp_path: Path) -> None:
    window = hand()
    window.open(project)
    window.program.opening.open(tmp_path / "gone")
    window.until(lambda: any("gone" in text for text in window.messages))
    window.stroke((20, 30), (60, 30))
    assert window.document.mask.labels[30, 40] == 0
    window.program.opening.open(project)
    assert window.messages[-1] == "project is open already."


def test_recent_projects_are_in_the_menu(hand: Start, project: Path, tmp_path: Path) -> None:
    create_project(tmp_path / "other", write_scenes(tmp_path / "more", 2), ("ground",)).close()
    window = hand()
    window.open(project)
    window.open(tmp_path / "other")
    recent = window.place.window._recent.actions()
    assert [action.text().split()[0] for action in recent] == ["project"]
    with window.qtbot.waitSignal(window.program.shown, timeout=WAIT):
        recent[0].trigger()
    assert window.program.desk.project.root == project


def test_classes_by_key(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    window.key(Qt.Key.Key_W)
    window.key(Qt.Key.Key_W)
    assert window.place.painting.label == 2
    window.key(Qt.Key.Key_W)
    assert window.place.painting.label == 0
    window.key(Qt.Key.Key_Q)
    assert window.place.painting.label == 2
    window.key(Qt.Key.Key_F2)
    window.type("x")
    window.key(Qt.Key.Key_Return)
    window.until(lambda: window.program.desk.project.settings.classes[2].name == "x")
    window.key(Qt.Key.Key_7)
    assert window.place.painting.label == 2


_KILLED = """
import os, sys
from pathlib import Path
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from app import main
from app.ui.remembered import Remembered

main.start()
folder = Path(sys.argv[1])
program = main.Program(Remembered(QSettings(str(folder / "k.ini"), QSettings.Format.IniFormat)), folder / "s",
                       reads_ahead=False)
program.place.window.show()

def paint(_image):
    canvas = program.place.canvas
    for y in (30, 60):
        points = [canvas.viewport.to_view(x + 0.5, y + 0.5) for x in (20, 100)]
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=_point(points[0]))
        QTest.mouseMove(canvas, _point(points[1]))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=_point(points[1]))
    os.kill(os.getpid(), 9)

def _point(place):
    from PySide6.QtCore import QPoint
    return QPoint(int(place[0]), int(place[1]))

program.shown.connect(paint)
program.begin(folder / "project")
main.QApplication.instance().exec()
"""


def test_nothing_is_lost_when_the_program_is_killed_after_a_stroke(hand: Start, project: Path, tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    window = hand()
    window.open(project)
    assert (window.document.mask.labels[[30, 60], 25:95] == 0).all()
    window.saved()
    assert (np.asarray(Image.open(project / "SegmentationClass" / "a.png"))[[30, 60], 25:95] == 0).all()
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (window.document.mask.labels[60] == 255).all()


def test_reviewed_images_are_exported(hand: Start, project: Path, tmp_path: Path) -> None:
    window = hand()
    window.open(project)
    window.stroke((20, 30), (60, 30))
    window.go(Qt.Key.Key_Return)
    window.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    asked = next(each for each in QApplication.topLevelWidgets() if isinstance(each, ExportDialog) and each.isVisible())
    assert asked.target.text() == str(tmp_path / "project export")
    asked.target.setText(str(tmp_path / "pictures"))
    assert not asked.ok.isEnabled()
    asked.target.setText(str(tmp_path / "out"))
    asked.ok.click()
    window.until(lambda: any("1 reviewed image exported" in text for text in window.messages))
    written = tmp_path / "out"
    assert np.asarray(Image.open(written / "SegmentationClass" / "a.png"))[30, 40] == 0
    assert [path.stem for path in (written / "JPEGImages").iterdir()] == ["a"]
