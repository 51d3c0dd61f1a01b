"""The options of the tools: which tool has which, and that what a person chooses arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.classes import UNPAINTED, VOID, Classes
from app.domain.tools import TOOLS, ToolSettings
from app.services import create_project
from app.ui.panels.tool_options import ACTIONS, BY, LARGEST, OPTIONS, SHAPES, SOURCES, ToolOptions
from tests.ui.window import CLASSES, Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]
TWO = Classes.named(("sky", "grass"))


@pytest.fixture
def options(qtbot: QtBot) -> ToolOptions:
    made = ToolOptions()
    qtbot.addWidget(made)
    made.show_classes(TWO)
    made.show_settings(ToolSettings(0))
    made.show()
    return made


def test_the_table_covers_every_tool_and_names_settings_that_exist() -> None:
    assert list(OPTIONS) == list(TOOLS)
    names = {field.name for field in fields(ToolSettings)}
    assert {name for options in OPTIONS.values() for name in options} <= names
    assert names - {name for options in OPTIONS.values() for name in options} == {"label", "locked"}


def test_the_choices_are_those_of_the_settings() -> None:
    hints = get_type_hints(ToolSettings)
    for name, choices in (("shape", SHAPES), ("source", SOURCES), ("action", ACTIONS)):
        assert tuple(value for value, _ in choices) == get_args(hints[name])
    assert set(get_args(hints["action"])) >= BY


def test_every_tool_shows_its_options_and_no_others(options: ToolOptions) -> None:
    for tool, names in OPTIONS.items():
        options.show_tool(tool)
        shown = {name for every in OPTIONS.values() for name in every if getattr(options, name).isVisible()}
        assert shown == set(names), tool


def test_what_is_chosen_is_said_by_its_name_and_showing_says_nothing(options: ToolOptions, qtbot: QtBot) -> None:
    said: list[tuple[str, object]] = []
    options.changed.connect(lambda name, value: said.append((name, value)))
    chosen = replace(
        ToolSettings(0), radius=90, shape="square", pressure=True, only=frozenset({1}), never=frozenset({VOID})
    )
    options.show_settings(chosen)
    assert said == []
    assert options.radius.box.value() == 90
    assert options.only.currentText() == "grass"
    assert options.never.currentText() == "Void"
    options.show_tool("brush")
    QTest.mouseClick(options.shape._group.button(0), Qt.MouseButton.LeftButton)
    QTest.mouseClick(options.pressure, Qt.MouseButton.LeftButton, pos=QPoint(6, options.pressure.height() // 2))
    options.radius.box.setValue(7)
    options.radius.slider.setValue(options.radius.slider.maximum())
    options.only.activated.emit(1)
    options.never.activated.emit(0)
    assert said == [
        ("shape", "round"),
        ("pressure", False),
        ("radius", 7),
        ("radius", LARGEST),
        ("only", frozenset({UNPAINTED})),
        ("never", frozenset()),
    ]


def test_every_number_that_a_slider_says_comes_back_to_its_place(options: ToolOptions) -> None:
    for name in ("radius", "cell", "amount", "tolerance"):
        number = getattr(options, name)
        said: list[int] = []
        number.changed.connect(said.append)
        for tick in range(number.slider.minimum(), number.slider.maximum() + 1):
            said.clear()
            number.slider.setValue(tick)
            if said:
                assert number.box.minimum() <= said[0] <= number.box.maximum()
                number.show_value(said[0])
                assert abs(number._number(number.slider.value()) - said[0]) == 0
        number.slider.setValue(number.slider.minimum())
        number.slider.setValue(number.slider.maximum())
        assert said[-1] == number.box.maximum()


def test_what_has_no_effect_is_off(options: ToolOptions) -> None:
    options.show_tool("region")
    for action, _ in ACTIONS:
        options.show_settings(replace(ToolSettings(0), action=action))
        assert options.amount.isEnabled() == (action in BY)
    options.show_tool("fill")
    options.show_settings(replace(ToolSettings(0), source="mask"))
    assert not options.tolerance.isEnabled()
    options.show_tool("wand")
    options.show_settings(replace(ToolSettings(0), source="mask"))
    assert options.tolerance.isEnabled()


def test_only_over_and_never_over_rule_the_brush_and_belong_to_the_project(
    hand: Start, project: Path, tmp_path: Path
) -> None:
    window = hand()
    window.open(project)
    window.place.painting.set_radius(3)
    window.stroke((20, 20), (60, 20))
    window.key(Qt.Key.Key_2)
    options = window.place.window.tools.options
    options.only.activated.emit(options.only.findText("sky"))
    window.stroke((40, 20), (90, 20))
    labels = window.document.mask.labels
    assert labels[20, 50] == 1
    assert labels[20, 80] == VOID
    create_project(tmp_path / "other", project.with_name("pictures"), CLASSES).close()
    window.open(tmp_path / "other")
    assert window.place.painting.settings.only is None
    assert options.only.currentText() == "Anything"


def test_the_settings_survive_a_restart(hand: Start, project: Path) -> None:
    first = hand()
    first.open(project)
    chosen = {
        "radius": 33, "shape": "square", "pressure": True, "tolerance": 7, "source": "mask", "cell": 40,
        "action": "shrink", "amount": 12,
    }  # fmt: skip
    first.place.painting.change(**chosen, locked=frozenset({1}), only=frozenset({0}))
    first.close()
    settings = hand().place.painting.settings
    assert {name: getattr(settings, name) for name in chosen} == chosen
    assert settings.locked == frozenset()
    assert settings.only is None


def test_what_is_remembered_wrongly_is_the_usual(hand: Start) -> None:
    first = hand()
    remembered = first.place.remembered
    first.close()
    for name, value in (("shape", "triangle"), ("source", 4), ("radius", "big")):
        remembered.keep(f"tools/{name}", value)
    remembered.sync()
    settings = hand().place.painting.settings
    assert (settings.shape, settings.source, settings.radius) == ("round", "picture", 12)
