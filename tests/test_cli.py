"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cli
from app.services import Models, open_project
from tests.services.conftest import Files, files  # noqa: F401 (a fixture)
from tests.services.datasets import CLASSES, write_picture, write_voc

Atrous = Callable[..., tuple[int, str, str]]


@pytest.fixture
def atrous(capsys: pytest.CaptureFixture[str]) -> Atrous:
    """Runs the command in this process: exit code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "V", 5, 3)


@pytest.fixture
def taught(voc: Path, files: Files) -> Path:  # noqa: F811
    """The same with a model in use that calls everything box."""
    project = open_project(voc)
    models = Models(project)
    models.use(models.adopt(files.make_head("boxes", seed=1), files.backbone, name="quick").version)
    project.close()
    return voc


def last_line(err: str) -> str:
    return err.strip().splitlines()[-1]


def test_help_names_every_verb_of_the_contract_and_no_other(atrous: Atrous) -> None:
    code, out, _ = atrous("--help")
    assert code == 0
    listed = re.findall(r"^  (\w+) {2,}\w", out.partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        "check", "demo", "doctor", "evaluate", "export", "import", "info", "model", "new", "predict", "review",
        "segment", "train",
    ]  # fmt: skip
    for verb in listed:
        assert atrous(verb, "--help")[0] == 0
    assert re.findall(r"^  (\w+) {2,}\w", atrous("model", "--help")[1].partition("Commands:")[2], re.MULTILINE) == [
        "add", "available", "delete", "export", "fetch", "import", "list", "rename", "use",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["nonsense", "further"],
        [".", "further"],
        ["predict"],
        ["predict", "P", "--min-confidence", "1.5"],
        ["predict", "P", "--min-confidence", "-0.1"],
        ["predict", "P", "--min-confidence", "nan"],
        ["predict", "P", "--device", "toaster"],
        ["predict", "P", "--nonsense"],
        ["train", "P", "--recipe", "magic"],
        ["train", "P", "--resume", "--steps", "3"],
        ["train", "P", "--steps", "0"],
        ["train", "P", "--minutes", "0"],
        ["train", "P", "--minutes", "inf"],
        ["review", "P"],
        ["review", "P", "a", "--all"],
        ["export", "P", "OUT", "--format", "labelme"],
        ["export", "P", "OUT"],
        ["import", "P", "SOURCE", "--format", "nonsense"],
        ["segment", "--model", "M", "--out", "O"],
        ["segment", "a.jpg", "--model", "M", "--out", "O", "--tiles", "127"],
        ["segment", "a.jpg", "--model", "M", "--out", "O", "--tiles", "--flip"],
        ["predict", "P", "--tiles", "512", "--scales", "0.5,1"],
        ["predict", "P", "--scales", "0.5;1"],
        ["predict", "P", "--scales", "0,1"],
        ["predict", "P", "--scales", "nan"],
        ["predict", "P", "--scales", ""],
        ["model", "fetch"],
        ["model", "export", "P", "V", "OUT", "--format", "keras"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_two(atrous: Atrous, words: list[str]) -> None:
    code, out, err = atrous(*words)
    assert (code, out) == (2, "")
    assert "Error" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["info", "nowhere"], "there is no folder nowhere"),
        (["evaluate", "--truth", "nowhere", "--pred", "nowhere"], "there is no folder nowhere"),
        (["evaluate", "--truth", ".", "--pred", ".", "--ids", "nowhere"], "nowhere: no such file"),
        (["new", "P", "--images", "nowhere", "--classes", "nowhere"], "nowhere"),
        (["segment", "a.jpg", "--model", "nowhere", "--out", "o"], "nowhere"),
        (["model", "import", "nowhere.keras", "o.safetensors"], "nowhere.keras"),
    ],
)
def test_a_failure_is_one_and_one_line(
    atrous: Atrous, words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = atrous(*words)
    assert (code, out) == (1, "")
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("atrous: ")
    assert said in err
    assert "Traceback" in atrous(*words, "--debug")[2]


def test_a_fault_of_ours_is_one_line_too(atrous: Atrous, voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import services

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(services, "info", broken)
    code, _, err = atrous("info", voc)
    assert code == 1
    assert "ZeroDivisionError: oops" in last_line(err)
    assert "Traceback" not in err


def test_new_leaves_the_pictures_where_they_are(atrous: Atrous, tmp_path: Path) -> None:
    write_picture(tmp_path / "photos", 1)
    (tmp_path / "names.txt").write_text("__ignore__\n" + "\n".join(CLASSES), encoding="utf-8")
    code, out, _ = atrous("new", tmp_path / "P", "--images", tmp_path / "photos", "--classes", tmp_path / "names.txt")
    assert code == 0
    assert "1 images, 3 classes" in out
    assert sorted(path.name for path in (tmp_path / "photos").iterdir()) == ["p01.png"]
    assert not (tmp_path / "P/JPEGImages").exists()
    code, _, err = atrous("new", tmp_path / "P", "--images", tmp_path / "photos", "--classes", tmp_path / "names.txt")
    assert code == 1
    assert "is a project already" in err


def test_info_as_json_is_one_document_and_nothing_else(atrous: Atrous, taught: Path) -> None:
    code, out, _ = atrous("info", taught, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["images"]["total"] == 5
    assert document["in_use"] == "quick-1"
    assert [row["name"] for row in document["classes"]] == list(CLASSES)
    plain = atrous("info", taught)[1]
    assert "5 images (2 untouched, 3 reviewed)" in plain
    assert "quick-1 (in use)" in plain


def test_predict_says_so_when_nothing_was_learnt(atrous: Atrous, voc: Path) -> None:
    code, out, err = atrous("predict", voc)
    assert (code, out) == (1, "")
    for words in ("paint a few strokes of each class, or review one picture", "atrous train", "--model"):
        assert words in last_line(err)


def test_predict_evaluate_and_resume(atrous: Atrous, taught: Path, tmp_path: Path) -> None:
    code, out, _ = atrous("predict", taught, "p03")
    assert (code, out) == (0, "1 images pre-annotated by quick-1\n")
    code, out, _ = atrous("predict", taught)
    assert (code, out) == (0, "1 images pre-annotated by quick-1, 1 as before\n")
    with Image.open(taught / "SegmentationClass/p03.png") as image:
        assert np.unique(np.array(image)).tolist() == [1]
    truth = write_voc(tmp_path / "T", 5, 5)
    ids = tmp_path / "ids.txt"
    ids.write_text("p03\np04\n\n", encoding="utf-8")
    code, out, _ = atrous("evaluate", "--truth", truth, "--pred", taught, "--ids", ids, "--json")
    scores = json.loads(out)
    assert code == 0
    assert set(scores) == {"miou", "pixel_accuracy", "classes"}
    masks = [np.array(Image.open(truth / f"SegmentationClass/p0{number}.png")) for number in (3, 4)]
    assert scores["pixel_accuracy"] == pytest.approx((np.stack(masks) == 1).mean())
    assert scores["classes"]["disc"] == 0
    assert "mIoU" in atrous("evaluate", "--truth", truth, "--pred", taught, "--ids", ids)[1]


@pytest.mark.parametrize("seen", [["--tiles"], ["--scales", "0.5,1,1.75", "--flip"], ["--flip"]])
def test_pictures_are_seen_in_tiles_or_at_scales(
    atrous: Atrous,
    taught: Path,
    files: Files,  # noqa: F811
    tmp_path: Path,
    seen: list[str],
) -> None:
    """A dataset is scored as ever: predicted in the chosen manner, then judged as a whole."""
    assert atrous("predict", taught, *seen)[:2] == (0, "2 images pre-annotated by quick-1\n")
    truth = write_voc(tmp_path / "T", 5, 5)
    (tmp_path / "ids.txt").write_text("p03\np04\n", encoding="utf-8")
    assert "mIoU" in atrous("evaluate", "--truth", truth, "--pred", taught, "--ids", tmp_path / "ids.txt")[1]
    shutil.copy(files.backbone, tmp_path)
    head = Path(shutil.copy(files.make_head("boxes", seed=1), tmp_path))
    picture = taught / "JPEGImages/p00.png"
    assert atrous("segment", picture, "--model", head, "--out", tmp_path / "out", *seen)[0] == 0
    with Image.open(tmp_path / "out/p00.png") as image:
        assert np.unique(np.array(image)).tolist() == [1]


def test_predict_with_a_model_file(atrous: Atrous, voc: Path, files: Files, tmp_path: Path) -> None:  # noqa: F811
    head = Path(shutil.copy(files.make_head("discs", seed=2), tmp_path))
    code, _, err = atrous("predict", voc, "--model", head)
    assert code == 1
    assert "put its file beside discs.safetensors" in last_line(err)
    shutil.copy(files.backbone, tmp_path)
    assert atrous("predict", voc, "--model", head)[0] == 0
    head.write_bytes(b"rubbish")
    code, _, err = atrous("predict", voc, "--model", head)
    assert code == 1
    assert "discs.safetensors" in last_line(err)
    assert atrous("predict", voc, "--model", "nonsense")[0] == 1


def test_predict_names_unreadable_pictures_and_goes_on(atrous: Atrous, taught: Path) -> None:
    (taught / "JPEGImages/p03.png").write_bytes(b"rubbish")
    code, out, err = atrous("predict", taught)
    assert code == 0
    assert "1 images" in out
    assert "p03: " in err
    code, _, err = atrous("predict", taught, "p03")
    assert code == 1
    assert "no image could be pre-annotated" in last_line(err)


def test_review_export_check(atrous: Atrous, taught: Path, tmp_path: Path) -> None:
    atrous("predict", taught, "p03")
    code, out, _ = atrous("review", taught, "--all")
    assert (code, out) == (0, "1 images reviewed, 1 left that have no mask yet or are skipped\n")
    assert (taught / "ImageSets/Segmentation/trainval.txt").read_text().split() == ["p00", "p01", "p02", "p03"]
    assert atrous("review", taught, "p04")[0] == 0
    code, _, err = atrous("review", taught, "nonsense")
    assert code == 1
    assert "nonsense" in last_line(err)
    code, out, _ = atrous("export", taught, tmp_path / "out", "--format", "voc")
    assert (code, out) == (0, f"5 images exported to {tmp_path / 'out'}\n")
    assert atrous("export", taught, tmp_path / "out", "--format", "voc")[0] == 1
    assert atrous("check", tmp_path / "out")[:2] == (0, "everything is in order\n")
    (tmp_path / "out/SegmentationClass/p00.png").write_bytes(b"rubbish")
    code, out, err = atrous("check", tmp_path / "out")
    assert code == 1
    assert out.startswith("p00: ")
    assert "not in order" in last_line(err)


def test_import_reports_file_by_file(atrous: Atrous, voc: Path, tmp_path: Path) -> None:
    shape = {"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [9, 9]]}
    for name in ("p03", "p00", "elsewhere"):
        data = {"imagePath": f"{name}.png", "imageWidth": 64, "imageHeight": 48, "shapes": [shape]}
        (tmp_path / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    shutil.rmtree(tmp_path / "V/.atrous", ignore_errors=True)
    code, out, err = atrous("import", voc, tmp_path, "--format", "labelme")
    assert code == 0
    assert out == "1 images imported and reviewed, new classes: cat\n"
    assert "p00.json: p00 is reviewed" in err
    assert "elsewhere.json: the project has no picture" in err
    assert atrous("import", voc, tmp_path, "--format", "labelme")[0] == 1


def test_versions_are_renamed_used_and_deleted(atrous: Atrous, taught: Path, files: Files) -> None:  # noqa: F811
    project = open_project(taught)
    Models(project).adopt(files.make_head("boxes", seed=1), name="full")
    project.close()
    assert atrous("model", "use", taught, "full-2") == (0, "full-2 is in use\n", "")
    assert atrous("model", "rename", taught, "full-2", "second drive")[:2] == (0, "full-2 is called second drive now\n")
    code, _, err = atrous("model", "rename", taught, "quick-1", "Second Drive")
    assert (code, last_line(err)) == (1, "atrous: there is a version called Second Drive already: choose another name")
    code, out, err = atrous("model", "delete", taught, "second drive", "--yes")
    assert (code, out) == (1, "")
    assert "second drive is in use: use another version first" in err
    assert atrous("model", "delete", taught, "quick-1", "--yes")[:2] == (0, "quick-1 is deleted\n")
    out = atrous("model", "list", taught)[1]
    assert "second drive (in use)" in out
    assert "quick-1" not in out
    for words in (("use", "gone"), ("delete", "gone", "--yes"), ("rename", "gone", "x")):
        code, _, err = atrous("model", words[0], taught, *words[1:])
        assert code == 1
        assert "no model version 'gone' in this project; it has second drive" in last_line(err)


def test_deleting_a_version_asks_first(
    atrous: Atrous,
    taught: Path,
    files: Files,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = open_project(taught)
    Models(project).adopt(files.make_head("boxes", seed=1), name="full")
    project.close()
    for answer, code in (("n\n", 1), ("y\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        ended, _, err = atrous("model", "delete", taught, "full-2")
        assert ended == code
        assert "Delete full-2 for good?" in err
    assert "full-2" not in atrous("model", "list", taught)[1]


def test_models_are_listed_and_exported(atrous: Atrous, taught: Path, tmp_path: Path, voc: Path) -> None:
    assert "quick-1 (in use)" in atrous("model", "list", taught)[1]
    code, out, _ = atrous("model", "export", taught, "quick-1", tmp_path / "mine.safetensors")
    assert code == 0
    assert str(tmp_path / "mine.safetensors") in out
    assert atrous("model", "export", taught, "quick-1", tmp_path / "mine.safetensors")[0] == 1
    code, out, _ = atrous("model", "import", tmp_path / "mine.safetensors", tmp_path / "again.safetensors")
    assert code == 0
    code, out, _ = atrous("model", "add", taught, tmp_path / "again.safetensors")
    assert (code, out.split()[0]) == (0, "again-2")
    assert "again-2" in atrous("model", "list", taught)[1]
    out_folder = tmp_path / "masks"
    code, out, _ = atrous(
        "segment", voc / "JPEGImages/p00.png", "--model", tmp_path / "again.safetensors", "--out", out_folder
    )
    assert code == 0
    assert (out_folder / "p00.png").is_file()


def test_train_without_anything_to_learn_from(atrous: Atrous, tmp_path: Path) -> None:
    write_picture(tmp_path / "photos", 1)
    (tmp_path / "names.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    atrous("new", tmp_path / "P", "--images", tmp_path / "photos", "--classes", tmp_path / "names.txt")
    code, out, err = atrous("train", tmp_path / "P", "--json")
    assert (code, out) == (1, "")
    assert "nothing to learn from yet" in last_line(err)


@pytest.mark.slow
def test_train_as_json(atrous: Atrous, taught: Path) -> None:
    code, out, err = atrous("train", taught, "--steps", "2", "--device", "cpu", "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["version"], document["used"], document["steps"]) == ("quick-2", True, 2)
    assert "train: " in err


def test_nothing_to_go_on_with(atrous: Atrous, taught: Path) -> None:
    code, out, err = atrous("train", taught, "--resume")
    assert (code, out) == (1, "")
    assert last_line(err) == ("atrous: no learning was stopped here that could go on: start one with atrous train")


@pytest.mark.slow
def test_a_linear_head_is_learnt_beside_the_one_in_use(atrous: Atrous, taught: Path) -> None:
    code, out, _ = atrous("train", taught, "--recipe", "linear", "--device", "cpu", "--json")
    document = json.loads(out)
    assert (code, document["version"], document["recipe"], document["used"]) == (0, "linear-2", "linear", True)


def test_a_project_that_another_program_holds_is_only_read(atrous: Atrous, taught: Path) -> None:
    holder = open_project(taught)
    code, _, err = atrous("predict", taught)
    assert code == 1
    assert "nothing was done" in last_line(err)
    assert atrous("info", taught)[0] == 0
    holder.close()


def interruptible(command: list[str]) -> subprocess.Popen[str]:
    """A process that hears Ctrl-C even when the tests themselves run in the background, where it is ignored."""
    default = signal.signal(signal.SIGINT, signal.SIG_DFL)  # inherited by the child
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, default)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_ends_with_130(taught: Path) -> None:
    for number in range(5, 40):
        write_picture(taught / "JPEGImages", number)
    command = [sys.executable, "-m", "app", "predict", str(taught)]
    process = interruptible(command)
    assert process.stderr is not None
    line = ""
    while "predict: " not in line:
        line = process.stderr.readline()
        assert line
    process.send_signal(signal.SIGINT)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    out, err = process.communicate()
    watchdog.cancel()
    assert process.returncode == 130
    assert out == ""
    assert last_line(err) == "atrous: stopped; what was done until then is kept"
    assert "Traceback" not in err
    project = open_project(taught)
    assert project.catalogue.counts()["predicted"] == len(list((taught / "SegmentationClass").glob("*.png"))) - 3
    project.close()


@pytest.mark.slow
def test_ctrl_c_while_learning_keeps_a_partial_version_and_it_can_go_on(atrous: Atrous, taught: Path) -> None:
    command = [sys.executable, "-m", "app", "train", str(taught), "--steps", "30", "--device", "cpu", "--json"]
    process = interruptible(command)
    watchdog = threading.Timer(300, process.kill)
    watchdog.start()
    published = threading.Event()
    while not list(taught.glob(".atrous/runs/*/out/training.safetensors")):
        published.wait(0.2)
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    watchdog.cancel()
    assert (process.returncode, out) == (130, "")
    assert "what was learnt so far is quick-2, marked partial; use it with --model quick-2" in err
    assert f"atrous train {taught} --resume goes on with it" in err
    project = open_project(taught)
    models = Models(project)
    assert [(model.version, model.card["partial"]) for model in models.versions()] == [
        ("quick-1", False), ("quick-2", True),
    ]  # fmt: skip
    assert models.in_use() == models.version("quick-1")
    project.close()
    code, out, err = atrous("train", taught, "--resume", "--json")
    document = json.loads(out)
    assert (code, document["version"], document["steps"]) == (0, "quick-3", 30)
    assert re.search(r"going on with quick at [1-9]\d?%", err)


def test_without_a_display_the_window_says_so(atrous: Atrous, voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    for words in ([], [voc]):
        code, out, err = atrous(*words)
        assert (code, out) == (1, "")
        assert last_line(err).startswith("atrous: there is no display")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_on_a_terminal_progress_is_a_bar_and_stdout_stays_clean(voc: Path) -> None:
    import os
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app", "info", str(voc), "--json"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 4096):
                shown.append(data)
        except OSError:
            return  # how a pseudo-terminal says that it was closed

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=120)
    reader.join()
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["images"]["total"] == 5
    assert b"\x1b[" in b"".join(shown)
    assert b"info" in b"".join(shown)


def test_masks_that_find_no_room_are_said_and_not_lost(atrous: Atrous, taught: Path) -> None:
    away = (taught / "SegmentationClass").rename(taught / "away")
    (taught / "SegmentationClass").write_text("in the way")
    code, _, err = atrous("predict", taught, "p03")
    assert code == 1
    assert "could not be saved, first p03" in last_line(err)
    (taught / "SegmentationClass").unlink()
    away.rename(taught / "SegmentationClass")
    assert atrous("review", taught, "p04")[0] == 0
    with Image.open(taught / "SegmentationClass/p03.png") as image:
        assert np.unique(np.array(image)).tolist() == [1]


def test_the_command_starts_without_torch_or_qt() -> None:
    code = "import sys, app.cli; print([name for name in ('torch', 'PySide6', 'core_model') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_demo_refuses_a_full_folder(atrous: Atrous, voc: Path) -> None:
    code, _, err = atrous("demo", voc)
    assert code == 1
    assert "something in" in last_line(err)
