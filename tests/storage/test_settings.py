from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.domain.classes import Classes
from app.storage import settings
from app.storage.settings import Settings, SettingsError

CLASSES = Classes.named(["background", "leaf", "Stängel"]).recolored(1, (1, 2, 3))
EXAMPLE = Settings("Beet 4", "../Bilder", CLASSES, working_size=768, unpainted="background")


def test_round_trip(tmp_path: Path) -> None:
    settings.save(tmp_path / "atrous.toml", EXAMPLE)
    assert settings.load(tmp_path / "atrous.toml") == EXAMPLE


def test_the_backbone_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "atrous.toml"
    settings.save(path, replace(EXAMPLE, backbone="ab" * 32))
    assert settings.load(path).backbone == "ab" * 32
    settings.save(path, EXAMPLE)
    assert "backbone" not in path.read_text()
    path.write_text('backbone = "../../elsewhere"\n' + path.read_text())
    with pytest.raises(SettingsError, match=r'atrous\.toml, line 1: backbone is "\.\./\.\./elsewhere"'):
        settings.load(path)


def test_unknown_keys_stay(tmp_path: Path) -> None:
    path = tmp_path / "atrous.toml"
    settings.save(path, EXAMPLE)
    text = (
        path.read_text()
        .replace('name = "Beet 4"', 'name = "Beet 4"\nfuture = [1, 2]')
        .replace('name = "leaf"', 'name = "leaf", parent = "plant"')
    )
    path.write_text(text)
    settings.save(path, replace(EXAMPLE, name="Beet 5", classes=CLASSES.renamed(1, "Blatt")))
    text = path.read_text()
    assert "future" in text
    assert 'parent = "plant"' in text
    assert settings.load(path).name == "Beet 5"
    assert settings.load(path).classes[1].name == "Blatt"


@pytest.mark.parametrize(
    ("good", "bad", "line", "words"),
    [
        ('name = "Beet 4"', 'name = "Beet 4', 1, "correct it"),
        ("working_size = 768", "working_size = 'big'", 3, "working_size must be a whole number"),
        ("working_size = 768", "working_size = 3", 3, "at least 16"),
        ('unpainted = "background"', 'unpainted = "soil"', 4, '"soil", which is no class'),
        ('color = "#010203"', 'color = "red"', 7, "must look like"),
        ("index = 1", "index = 300", 7, "300"),
        ('name = "leaf"', 'name = "background"', 7, "two classes"),
    ],
)
def test_damage_is_named_by_file_and_line(tmp_path: Path, good: str, bad: str, line: int, words: str) -> None:
    path = tmp_path / "atrous.toml"
    settings.save(path, EXAMPLE)
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, bad))
    with pytest.raises(SettingsError) as caught:
        settings.load(path)
    message = str(caught.value)
    assert f"{path}, line {line}: " in message
    assert words in message
    assert "\n" not in message
    with contextlib.suppress(SettingsError):
        settings.save(path, EXAMPLE)  # never overwrites what it cannot read ...
    if words == "correct it":
        assert bad in path.read_text()


def test_only_the_picture_folder_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "atrous.toml"
    path.write_bytes(b'\xef\xbb\xbfpictures = "p"\n')  # with the mark that Windows editors put before it
    assert settings.load(path) == Settings(tmp_path.name, "p", Classes())
    path.write_text("name = 'x'")
    with pytest.raises(SettingsError, match="pictures is missing"):
        settings.load(path)


@given(st.binary(max_size=60) | st.text(alphabet="[]{}=\"'\n\\#abc1.,é", max_size=60).map(str.encode))
@hypothesis_settings(max_examples=150, deadline=None)
def test_damage_never_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(b'pictures = "p"\nunpainted = "void"\n' + data)
    with contextlib.suppress(SettingsError):
        assert settings.load(path).pictures == "p"
    with contextlib.suppress(SettingsError):
        settings.read_class_names(path)


def test_class_names(tmp_path: Path) -> None:
    path = tmp_path / "class_names.txt"
    path.write_bytes(b"\xef\xbb\xbfsky\r\n\r\n  road \r\n\r\n")
    classes = settings.read_class_names(path)
    assert [(label.index, label.name) for label in classes] == [(0, "sky"), (2, "road")]
    settings.write_class_names(path, classes)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # says the same: left alone
    settings.write_class_names(path, classes.renamed(2, "street"))
    assert path.read_text() == "sky\n\nstreet\n"
    path.write_text("__ignore__\n_background_\ncar\n")
    assert settings.read_class_names(path).names == ("_background_", "car")
    path.write_text("a\na\n")
    with pytest.raises(SettingsError, match=r"class_names.txt: two classes"):
        settings.read_class_names(path)
