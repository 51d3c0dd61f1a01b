"""The start of the window: it is on screen in half a second, made of Qt alone; what works in it is imported then."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings

from app.ui.application import start
from app.ui.main_window import MainWindow
from app.ui.remembered import Remembered

if TYPE_CHECKING:
    from app.main import Program

ORGANISATION = "Atrous"


def run(project: Path | None = None, *, demo: bool = False) -> int:
    """Opens the window and returns its exit code; `demo`: on the sample, whatever was open last.

    ImportError, after the window is gone again, where a library is missing that works in it.
    """
    application = start()
    remembered = Remembered(QSettings(ORGANISATION, "Atrous"))
    window = MainWindow(remembered)
    program: Program | None = None
    missing: ImportError | None = None

    def complete() -> None:
        nonlocal program, missing
        try:
            from app.main import Program, sample_folder  # numpy, opencv and all the rest: the window is up now
        except ImportError as error:
            missing = error
            application.quit()
            return
        program = Program(remembered, sample_folder(), window=window)
        sys.excepthook = program.report
        program.begin(sample_folder() if demo and sample_folder().exists() else project)

    window.painted.connect(complete)
    window.show()
    code = application.exec()
    if missing is not None:
        raise missing
    return code
