"""Does the window stay alive while the network learns and predicts beside it?

`python -m tests.benchmarks.liveness [--images N] [--more S] [--json]`: the real window in a real X server, on CamVid
pictures, with live learning on and its child. Picture after picture is opened, made right as by a hand, reviewed, and
learnt; meanwhile the next ones are predicted. A timer of 4 ms in the window's thread says how late it is called, from
the moment the first prediction is there (torch's one stall at the start is over) until the last picture is learnt,
and some seconds more, in which the quick head learns. What the benchmark itself does in that thread, writing the
truth, is left out. Lateness: p99 at most 8 ms, worst at most 40 ms.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEventLoop, QObject, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN
from app.main import Program
from app.main import start as dress
from app.services import create_project
from app.ui.remembered import Remembered
from tests.benchmarks.camvid import CAMVID, names
from tests.benchmarks.canvas import display
from tests.benchmarks.report import Row, at_most, report

EVERY = 4  # ms
LONG = 120.0  # s


class Pulse(QObject):
    """How late a timer of the window's thread is called, in ms, while it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.counts = False
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=EVERY, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def skip(self) -> None:
        """Leave out what has been since the last beat."""
        self._last = time.perf_counter()

    def _beat(self) -> None:
        now = time.perf_counter()
        if self.counts:
            self.late.append(max(0.0, (now - self._last) * 1000 - EVERY))
        self._last = now


def wait(holds: Callable[[], bool]) -> None:
    """Let the window live until something holds."""
    loop, end = QEventLoop(), time.monotonic() + LONG
    check = QTimer(interval=20)
    check.timeout.connect(lambda: loop.quit() if holds() or time.monotonic() > end else None)
    check.start()
    loop.exec()
    check.stop()
    if not holds():
        sys.exit("the window did not get there in time")


def work(program: Program, truths: dict[str, np.ndarray], pulse: Pulse, more: float) -> float:
    """Review all pictures but the last; gives the seconds that were counted."""
    place = program.place
    panel = place.learning

    def on_screen() -> Document | None:
        return program.desk.navigation.document if program.desk is not None else None

    wait(lambda: on_screen() is not None and "review a picture" in panel.live.text())
    start = time.monotonic()
    for _ in range(len(truths) - 1):
        document = on_screen()
        assert document is not None
        truth = truths[document.image_id]
        document.replace(truth, np.where(truth == VOID, np.uint8(EMPTY), np.uint8(HUMAN)), "Import")
        pulse.skip()
        QTest.keyClick(QApplication.focusWidget() or place.window, Qt.Key.Key_Return)
        wait(partial(_another, on_screen, document))
        if not pulse.counts:
            wait(lambda: panel.live.text().startswith("Live: 1 picture learnt"))
            pulse.skip()
            pulse.counts, start = True, time.monotonic()
    done = f"Live: {len(truths) - 1} pictures learnt"
    wait(lambda: panel.live.text().startswith(done))
    end = time.monotonic() + more
    wait(lambda: time.monotonic() > end)
    pulse.counts = False
    return time.monotonic() - start


def _another(on_screen: Callable[[], Document | None], before: Document) -> bool:
    now = on_screen()
    return now is not None and now is not before


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=9, help="below ten, where images become held out")
    parser.add_argument("--more", type=float, default=30.0, help="seconds after the last picture is learnt")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not CAMVID.exists():
        sys.exit(f"This benchmark needs CamVid in {CAMVID}: research data, not part of the repository.")
    ids = names("train")[: options.images * 10 : 10]
    with display(), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "pictures").mkdir()
        for image_id in ids:
            shutil.copy(CAMVID / "JPEGImages" / f"{image_id}.jpg", folder / "pictures")
        create_project(folder / "P", folder / "pictures", (CAMVID / "class_names.txt").read_text().split()).close()
        application = dress()
        remembered = Remembered(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
        program, pulse = Program(remembered, folder / "sample"), Pulse()
        program.place.window.show()
        program.place.window.activateWindow()
        wait(lambda: QApplication.activeWindow() is program.place.window)
        program.begin(folder / "P")
        truths = {i: np.asarray(Image.open(CAMVID / "SegmentationClass" / f"{i}.png")) for i in ids}
        seconds = work(program, truths, pulse, options.more)
        program.place.window.close()
        del application
    late = np.array(pulse.late)
    rows = [
        at_most("lateness of the window's timer: p99", float(np.percentile(late, 99)), "ms", 8),
        at_most("  worst", float(late.max()), "ms", 40),
        Row("  median", float(np.median(late)), "ms"),
        Row("counted", seconds, "s"),
        Row("beats", len(late), ""),
    ]
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
