"""How the program starts and ends: guard, first start, screenshots, what opencv leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app import main, resources
from app.services import open_project
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("qt", "python", "refused"),
    [("6.12.0", (3, 11), True), ("6.12.0", (3, 12), False), ("6.11.3", (3, 11), False), ("6.12.1", (3, 11), False)],
)
def test_the_qt_that_crashes_is_refused(qt: str, python: tuple[int, int], refused: bool) -> None:
    if refused:
        with pytest.raises(SystemExit, match=r"PySide6-Essentials!=6\.12\.0"):
            main.refuse_broken_qt(qt, python)
    else:
        main.refuse_broken_qt(qt, python)


def test_what_takes_long_is_not_imported_before_the_window_is_up() -> None:
    code = "import sys, app.main; print([m for m in ('torch', 'core_model', 'pyqtgraph', 'h5py') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_screenshot_is_taken_of_a_project_that_stays_open(project: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from app import main; from app.services import open_project\n"
        "project = open_project(Path(sys.argv[1]))\n"
        "main.shoot(project, Path(sys.argv[2]), image_id='b')\n"
        "main.shoot(project, Path(sys.argv[3]))\n"
        "assert not project.read_only and project.catalogue.image('a').id == 'a'\n"
        "project.close()\n"
    )
    shots = tmp_path / "shots" / "1.png", tmp_path / "shots" / "2.png"
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "-c", code, project, *shots]
    said = subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120, capture_output=True, text=True)
    assert "propagateSizeHints" not in said.stderr
    first, second = (Image.open(shot).convert("RGB") for shot in shots)
    assert first.size == (1280, 800)
    assert len(first.resize((160, 100)).getcolors(16000)) > 200
    assert first.tobytes() != second.tobytes()


@pytest.mark.skipif(not resources.path("sample", "class_names.txt").is_file(), reason="the sample is not here")
def test_the_first_start_opens_a_copy_of_the_sample_and_the_second_the_same(hand: Start, tmp_path: Path) -> None:
    first = hand()
    first.open(None)
    assert first.program.desk.project.root == tmp_path / "sample"
    assert first.place.images.model.count() >= 2
    first.stroke((100, 100), (200, 100))
    image_id = first.document.image_id
    first.close()
    second = hand()
    second.open(None)
    assert second.document.image_id == image_id
    assert second.document.mask.labels[100, 150] == 0


def test_the_window_remembers_radius_and_where_its_panels_were(hand: Start, project: Path) -> None:
    first = hand()
    first.open(project)
    first.place.painting.set_radius(33)
    first.place.window.docks["models"].hide()
    first.close()
    second = hand()
    second.open(None)
    assert second.place.painting.radius == 33
    assert second.place.window.docks["models"].isHidden()
    assert not second.place.window.docks["classes"].isHidden()


def test_an_error_that_nobody_caught_is_said_and_the_window_stays(
    hand: Start, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = hand()
    window.open(project)
    error = ValueError("a thing")
    window.program.report(ValueError, error, None)
    assert "a thing" in window.messages[-1]
    assert "ValueError: a thing" in capsys.readouterr().err
    assert window.place.window.isVisible()
    assert open_project(project, read_only=True).read_only
