"""The application object of Qt, dressed."""

from __future__ import annotations

import os
import sys

import PySide6
from PySide6.QtWidgets import QApplication

from app.ui import theme


def refuse_broken_qt(qt: str = PySide6.__version__, python: tuple[int, ...] = sys.version_info[:2]) -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None at every void call and aborts after some thousand."""
    if qt == "6.12.0" and python < (3, 12):
        raise SystemExit("PySide6 6.12.0 crashes on Python 3.11 and older: pip install 'PySide6-Essentials!=6.12.0'")


def start() -> QApplication:
    """The application object, dressed; the one that is there already if there is one."""
    refuse_broken_qt()
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):  # opencv points them at its own Qt 5
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("Atrous")
    application.setDesktopFileName("atrous")
    theme.apply(application)
    return application
