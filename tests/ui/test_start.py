"""How the program starts and ends: guard, what is imported when, first start, screenshots."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app import resources
from app.commands import VERBS
from app.commands.verbs import COMMANDS
from app.services import open_project
from app.ui.application import refuse_broken_qt
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
            refuse_broken_qt(qt, python)
    else:
        refuse_broken_qt(qt, python)


_UP = """
import sys
from app import cli, start

class Watched(start.MainWindow):
    def __init__(self, remembered):
        super().__init__(remembered)
        self.painted.connect(self.tell)

    def tell(self):
        assert self.isVisible()
        print("up:", *sorted(sys.modules), flush=True)
        self.painted.disconnect()
        self.close()

start.MainWindow = Watched
cli.main(sys.argv[1:])
"""
_OPENED = """
import sys
from app import cli, main

class Watched(main.Program):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, reads_ahead=False, **options)
        self.shown.connect(self.tell)

    def tell(self, image_id):
        print("opened:", self.desk.project.root.name, image_id, flush=True)
        self.place.window.close()

main.Program = Watched
cli.main(sys.argv[1:])
"""


def started(code: str, home: Path, *words: object) -> str:
    """What a process of the program prints, which has a home of its own."""
    places = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    command = [sys.executable, "-c", code, *map(str, words)]
    environment = {**os.environ, **places, "HOME": str(home)}
    said = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=120, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


@pytest.mark.parametrize("words", [[], ["project"]])
def test_what_takes_long_is_not_imported_before_the_window_is_up(
    words: list[str], project: Path, tmp_path: Path
) -> None:
    up = set(started(_UP, tmp_path / "home", *(tmp_path / word for word in words)).removeprefix("up:").split())
    ours = {"app.main", "app.services", "app.storage", "app.formats", "app.jobs", "app.domain.mask", "core_model"}
    qt = {"PySide6.QtNetwork", "PySide6.QtOpenGL", "PySide6.QtQml", "PySide6.QtTest"}
    theirs = {"numpy", "cv2", "torch", "pyqtgraph", "PIL", "tifffile", "h5py", "safetensors", "sqlite3"}
    assert not up & (ours | qt | theirs | {"click", "rich", "platformdirs", "tomllib", "tomli_w", "asyncio"})
    assert {"app.ui.main_window", "PySide6.QtWidgets"} <= up


def test_what_the_window_was_started_for_is_opened_when_it_is_up(project: Path, tmp_path: Path) -> None:
    assert started(_OPENED, tmp_path / "home", project) == "opened: project a"


def test_a_library_that_is_missing_ends_the_start_in_one_line(tmp_path: Path) -> None:
    code = "import sys; sys.modules['cv2'] = None; from app import cli; cli.main([])"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    said = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60, capture_output=True, text=True)
    assert said.returncode == 1
    assert said.stderr.startswith("atrous: the window cannot start: ")
    assert "cv2" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1


def test_the_names_by_which_a_start_knows_the_verbs_are_those_of_their_commands() -> None:
    assert tuple(command.name for command in COMMANDS) == VERBS


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
