"""The composition root: makes the program's objects and wires them together; nothing else is decided here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import platformdirs
from PySide6.QtCore import QEventLoop, QObject, QSettings, QTimer, Signal, qInstallMessageHandler
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication

from app.domain.tools import TOOLS
from app.jobs.runner import Runner
from app.services.errors import Refusal
from app.services.network import Network
from app.storage.errors import StorageError
from app.storage.project import Project
from app.ui.application import start
from app.ui.canvas import Canvas
from app.ui.canvas.tone import Tone
from app.ui.comparing import LAYERS, Comparing
from app.ui.desk import Desk, close_project
from app.ui.dialogs.asking import Asking
from app.ui.dialogs.keys import KeysDialog
from app.ui.dialogs.log import LogDialog
from app.ui.main_window import MainWindow
from app.ui.mask_file import MaskFile
from app.ui.opening import Opening
from app.ui.painting import Painting, keep_tool_settings, tool_settings
from app.ui.panels.images_model import FILTERS
from app.ui.proposals import Proposals
from app.ui.remembered import Remembered
from app.ui.workplace import Workplace


class Program(QObject):
    """The window and its threads, and the project on the desk, if there is one."""

    shown = Signal(str)  # image id: picture and mask are on screen

    def __init__(
        self,
        remembered: Remembered,
        sample: Path,
        *,
        window: MainWindow | None = None,
        asking: Callable[[MainWindow], Asking] = Asking,
        network: Network | None = None,
        reads_ahead: bool = True,
    ) -> None:
        """`window`: the one that is on screen already."""
        super().__init__()
        window = window or MainWindow(remembered)
        actions, messages = window.commands, window.said
        canvas = Canvas()
        opacity = remembered.number("opacity", 50)
        self.tools = window.tools
        self.place = Workplace(
            window=window,
            actions=actions,
            canvas=canvas,
            painting=Painting(canvas, tool_settings(remembered), opacity, self),
            images=window.images,
            classes=window.classes,
            learning=window.learning,
            models=window.models,
            comparing=Comparing(canvas, actions, messages, self),
            messages=messages,
            remembered=remembered,
            asking=asking(window),
            files=Runner("files", self),
            worker=Runner("network", self, gives_way=True),
            learner=Runner("learning", self),
            live=Runner("live learning", self),
            fetcher=Runner("downloads", self),
            network=network or Network(),
            reads_ahead=reads_ahead,
        )
        place = self.place
        window.take_canvas(canvas)
        self.proposals = Proposals(canvas.hand, Runner("proposals", self, gives_way=True), messages, self)
        self.mask_file = MaskFile(place.files, place.asking, place.comparing, messages, self)
        self.opening = Opening(place.files, place.asking, messages, remembered, sample, window)
        self.desk: Desk | None = None
        self._wire_painting()
        self._wire_window()
        place.painting.say_all()
        window.show_project("", is_open=False)
        self._show_recent()

    def _wire_painting(self) -> None:
        actions, painting, canvas = self.place.actions, self.place.painting, self.place.canvas
        classes, status = self.place.classes, self.place.window.status
        for name in TOOLS:
            actions[name].triggered.connect(partial(painting.choose_tool, name))
        painting.tool_changed.connect(lambda name: actions[name].setChecked(True))
        painting.tool_changed.connect(self.tools.show_tool)
        painting.settings_changed.connect(self.tools.show_settings)
        painting.settings_changed.connect(lambda settings: classes.show_locked(settings.locked))
        painting.hidden_changed.connect(classes.show_hidden)
        painting.opacity_changed.connect(self.tools.show_opacity)
        painting.label_changed.connect(classes.show_current)
        classes.chosen.connect(painting.pick)
        classes.hide_asked.connect(painting.toggle_hidden)
        classes.lock_asked.connect(painting.toggle_lock)
        self.tools.changed.connect(lambda name, value: painting.change(**{name: value}))
        self.tools.opacity_changed.connect(painting.set_opacity)
        canvas.radius_asked.connect(painting.set_radius)
        canvas.hand.picked.connect(painting.pick)
        canvas.hand.noticed.connect(partial(self.place.messages.say, "info"))
        actions.held.connect(self._hold)
        self.proposals.working.connect(status.show_tool)
        status.drop_asked.connect(canvas.hand.cancel)
        self.place.window.light.changed.connect(lambda tone: canvas.set_tone(Tone(**tone)))
        for name in LAYERS:
            actions[name].triggered.connect(partial(self.place.comparing.choose, name))
        for name, show in (
            ("outline", canvas.set_outlined),
            ("grid", canvas.set_grid),
            ("overview", canvas.set_overview),
        ):
            actions[name].toggled.connect(show)
            actions[name].setChecked(bool(self.place.remembered.number(name, name != "outline")))
        for name, act in {
            "smaller": lambda: painting.grow(-1),
            "larger": lambda: painting.grow(1),
            "fainter": lambda: painting.set_opacity(painting.opacity - 10),
            "stronger": lambda: painting.set_opacity(painting.opacity + 10),
            "hide_class": lambda: painting.toggle_hidden(painting.label),
            "lock_class": lambda: painting.toggle_lock(painting.label),
            "cancel_stroke": canvas.hand.cancel,
            "fit": canvas.fit,
            "actual": canvas.actual_pixels,
            "zoom_in": canvas.zoom_in,
            "zoom_out": canvas.zoom_out,
        }.items():
            actions[name].triggered.connect(act)

    def _hold(self, name: str, down: bool) -> None:
        """A key that works while it is held goes down, or up."""
        if name == "prediction":
            self.place.comparing.hold(down)
        else:
            self.place.canvas.set_overlay_visible(not down)

    def _wire_window(self) -> None:
        place, actions, window = self.place, self.place.actions, self.place.window
        for name, act in {
            "new_project": lambda: self.opening.ask_new(),
            "open_folder": self.opening.ask_folder,
            "open_sample": self.opening.open_sample,
            "quit": window.close,
            "search": place.images.search.setFocus,
            "keys": lambda: KeysDialog(window).show(),
            "compare_file": self.mask_file.ask,
            "messages": lambda: LogDialog(place.messages, window).show(),
        }.items():
            actions[name].triggered.connect(act)
        for kind in FILTERS:
            actions[f"show_{kind}"].triggered.connect(partial(place.images.show_status, kind))
        place.images.filtered.connect(lambda kind: actions[f"show_{kind}"].setChecked(True))
        actions["show_all"].setChecked(True)
        actions["go_on"].setChecked(bool(place.remembered.number("go_on", 1)))
        window.welcome.chosen.connect(self.opening.open)
        window.recent_chosen.connect(self.opening.open)
        window.closing.connect(self._close)
        self.opening.opening.connect(lambda name: window.status.show_saved(f"Opening {name}…"))
        self.opening.failed.connect(self._show_saved)
        self.opening.opened.connect(self.lay_on_desk)

    def begin(self, project: Path | None) -> None:
        """Opens a project: the one that is named, else the last one, else the sample."""
        if project is not None:
            self.opening.open(project)
        elif recent := self.place.remembered.projects:
            self.opening.open(recent[0])
        else:
            self.opening.open_sample()

    def leave(self) -> bool:
        """Clears the desk, everything saved; False when saving fails and the person would rather stay."""
        if self.desk is not None:
            if not self.desk.leave():
                return False
            self.desk = self.opening.current = None
            self._show_recent()
            self.place.window.show_project("", is_open=False)
        return True

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Says what nobody caught, instead of ending the program; for `sys.excepthook`."""
        if isinstance(error, StorageError | Refusal):
            self.place.messages.error("", error)
        else:
            sys.__excepthook__(kind, error, trace)
            if isinstance(error, Exception):
                self.place.messages.error("Something went wrong; what was painted is kept", error)

    def lay_on_desk(self, project: Project, *, borrowed: bool = False) -> None:
        """Shows an open project in place of the one before; a borrowed one stays open when the window closes."""
        if not self.leave():
            close_project(self.place.files, project)
            return
        self.opening.current = project.root
        self.desk = Desk(self.place, project, borrowed=borrowed)
        self.desk.shown.connect(self.shown)
        self._show_recent()

    def _show_saved(self) -> None:
        """Nothing is being opened any more."""
        if self.desk is None:
            self.place.window.status.show_saved("")
        else:
            self.desk.saving.note()

    def _show_recent(self) -> None:
        projects = [path for path in self.place.remembered.projects if path != self.opening.current]
        self.place.window.show_recent(projects)

    def _close(self, event: QCloseEvent) -> None:
        if not self.leave():
            event.ignore()
            return
        place = self.place
        keep_tool_settings(place.remembered, place.painting.settings)
        for name, value in (
            ("opacity", place.painting.opacity),
            *((name, int(place.actions[name].isChecked())) for name in ("go_on", "outline", "grid", "overview")),
        ):
            place.remembered.keep(name, value)
        for thread in (self.proposals, place.learner, place.live, place.fetcher, place.worker, place.files):
            thread.close()


def sample_folder() -> Path:
    """Where the person's own copy of the sample project lies."""
    return platformdirs.user_data_path("atrous") / "sample"


def _said_by_qt(_kind: object, _context: object, text: str) -> None:
    if "propagateSizeHints" not in text:  # the offscreen platform has no window frames, and says so each time
        sys.stderr.write(f"{text}\n")


def shoot(project: Project, picture: Path, *, image_id: str | None = None, seconds: float = 60) -> None:
    """Writes what the window shows of an open project as a PNG, without a display; the project stays open.

    RuntimeError when the image is not shown in that time, or the PNG cannot be written.
    """
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    start()
    with TemporaryDirectory() as folder, ExitStack() as after:
        after.callback(qInstallMessageHandler, qInstallMessageHandler(_said_by_qt))
        remembered = Remembered(QSettings(str(Path(folder, "window.ini")), QSettings.Format.IniFormat))
        if image_id is not None:
            remembered.looked_at(project.root, image_id)
        program = Program(remembered, sample_folder(), reads_ahead=False)
        wait = QEventLoop()
        program.shown.connect(wait.quit)
        program.place.window.show()
        program.lay_on_desk(project, borrowed=True)
        QTimer.singleShot(round(seconds * 1000), wait, wait.quit)
        wait.exec()
        shown = program.desk is not None and program.desk.navigation.document is not None
        picture.parent.mkdir(parents=True, exist_ok=True)
        saved = program.place.window.grab().save(str(picture))
        program.place.window.close()
    if not shown or not saved:
        said = "; ".join(message.text for message in program.place.messages.log)
        raise RuntimeError(f"no picture of {project.root} could be taken: {said}")
