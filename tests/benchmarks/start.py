"""How long does a start take, from the process to the painted window?

`python -m tests.benchmarks.start [--json]`, in a real X server (an own Xvfb where there is no display), each start with
a home of its own: the first start of a new user, the longest. Beside it the least that any program of this kind takes:
Python, QApplication and an empty QMainWindow. Medians of 5, after one start that fills the system's cache and writes
the byte code, which an installed program has.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.canvas import display
from tests.benchmarks.report import Row, at_most, report

STARTS = 5
_SEEN = """
import time
from PySide6.QtWidgets import QApplication

def seen():
    QApplication.instance().sync()
    print(time.monotonic(), flush=True)
"""
_BARE = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMainWindow

class Bare(QMainWindow):
    def paintEvent(self, event):
        QTimer.singleShot(0, seen)

application = QApplication([])
window = Bare()
window.resize(1280, 800)
window.show()
application.exec()
"""
_PROGRAM = """
from app import cli, start

class Watched(start.MainWindow):
    def __init__(self, remembered):
        super().__init__(remembered)
        self.painted.connect(seen)

start.MainWindow = Watched
cli.main([])
"""


def started(program: str, code: str) -> float:
    """Seconds from the start of the process until the X server has the painted window; byte code lies in `code`."""
    with tempfile.TemporaryDirectory() as home:
        places = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        environment = {**os.environ, **places, "HOME": home, "PYTHONPYCACHEPREFIX": code}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", _SEEN + program], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            return float(process.stdout.readline()) - start
        finally:
            process.kill()
            process.wait()


def measure() -> list[Row]:
    """The program and the bare window in turn, so that whatever else the machine does meets both."""
    with display(), tempfile.TemporaryDirectory() as code:
        times = [(started(_PROGRAM, code), started(_BARE, code)) for _ in range(1 + STARTS)][1:]
    program, bare = (statistics.median(each) for each in zip(*times, strict=True))
    return [
        at_most("window visible after start, median", program, "s", 0.5),
        Row("an empty QMainWindow, median", bare, "s"),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    report(measure(), as_json=parser.parse_args().json)


if __name__ == "__main__":
    main()
