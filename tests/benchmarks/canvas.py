"""How long does painting, panning and zooming take, from the event to the screen, over 24 and 96 megapixels?

`python -m tests.benchmarks.canvas [--json] [--megapixels N]`, in a view of 1600 x 1000 device pixels of a real X
server (an own Xvfb where there is no display). Every time is from the event to the painted window, with the X server
asked to have done it. Times are p99; the floor stands beside them, to know the machine: a memory copy of the view, and
a bare widget that shows one finished image.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from tests.benchmarks.report import Row, at_most, report

SIZES = {24: (6000, 4000), 96: (12000, 8000)}
VIEW = (1600, 1000)
REPEATS = 100
STROKES = 300


@contextmanager
def display() -> Iterator[None]:
    """A real X server: the one there is, or one of our own for as long as this lasts."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):  # opencv's own Qt, set by its import
        os.environ.pop(name, None)
    if os.environ.get("DISPLAY"):
        yield
        return
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1200x24"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    try:
        os.close(writing)
        with os.fdopen(reading) as number:
            os.environ["DISPLAY"] = f":{number.readline().strip()}"
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        yield
    finally:
        server.terminate()
        server.wait()


def photograph(width: int, height: int) -> np.ndarray:
    """Light, gradients and noise, as a photograph has them: (height, width, 3) uint8."""
    noise = np.random.default_rng(0).integers(0, 40, (500, 500, 3), np.uint8)
    rgb = np.tile(noise, (height // 500, width // 500, 1))
    rgb += np.linspace(0, 200, width).astype(np.uint8)[None, :, None]
    return rgb


class Hand:
    """Does things to a canvas in a window and times them."""

    def __init__(self, size: tuple[int, int]) -> None:
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication

        from app.domain.classes import Classes
        from app.domain.document import Document
        from app.domain.mask import Mask
        from app.ui.canvas import Canvas

        self.app = QApplication.instance() or QApplication([])
        self.random = np.random.default_rng(1)
        mask = Mask.empty(size[1], size[0])
        third = size[1] // 3
        mask.labels[third:], mask.provenance[third:] = 1, 1
        mask.labels[2 * third :], mask.provenance[2 * third :] = 2, 2
        self.document = Document("picture", mask)
        self.classes = Classes.named(["sky", "tree", "road", "car"])
        self.canvas = Canvas()
        self.canvas.resize(*VIEW)
        self.canvas.show()
        QTest.qWaitForWindowExposed(self.canvas)
        self.settle()

    def settle(self) -> None:
        """Until all is painted and the X server has it."""
        self.app.processEvents()
        self.app.sync()

    def timed(self, act: Callable[[], object]) -> float:
        """Milliseconds from an act to the screen."""
        start = time.perf_counter()
        act()
        self.settle()
        return (time.perf_counter() - start) * 1e3

    def mouse(self, kind: str, x: float, y: float) -> None:
        """An event of the left button, as Qt delivers it; "Hover" is a move without it."""
        from PySide6.QtCore import QEvent, QPointF, Qt
        from PySide6.QtGui import QMouseEvent

        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        held = left if kind in ("MouseButtonPress", "MouseMove") else none
        button = left if kind.startswith("MouseButton") else none
        place = QPointF(x, y)
        there, keys = self.canvas.mapToGlobal(place), Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(getattr(QEvent.Type, kind.replace("Hover", "MouseMove")), place, there, button, held, keys)
        self.app.sendEvent(self.canvas, event)

    def look(self, zoom: float | None) -> None:
        """At the middle of the picture, or at all of it."""
        from PySide6.QtCore import QPointF

        self.canvas.fit()
        if zoom is not None:
            self.canvas.zoom_to(zoom, QPointF(VIEW[0] / 2, VIEW[1] / 2))
        self.settle()

    def dabs(self, zoom: float | None, radius: int, repeats: int = REPEATS) -> tuple[list[float], list[float]]:
        """Strokes of one dab each, somewhere in the view: ms of the dab, ms of its end with patch and listeners."""
        from app.domain.tools import TOOLS, ToolSettings

        self.look(zoom)
        painting, ending = [], []
        for number in range(repeats + 3):
            self.canvas.set_tool(TOOLS["brush"], ToolSettings(number % 4, radius))
            x, y = self.random.uniform((200, 150), (VIEW[0] - 200, VIEW[1] - 150))
            self.mouse("Hover", x, y)
            self.settle()
            painting.append(self.timed(lambda x=x, y=y: self.mouse("MouseButtonPress", x, y)))
            start = time.perf_counter()
            self.mouse("MouseButtonRelease", x, y)
            ending.append((time.perf_counter() - start) * 1e3)
            self.settle()
        return painting[3:], ending[3:]


def milliseconds(act: Callable[[], object]) -> float:
    """Of an act by itself."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e3


def measure_floor(hand: Hand, name: str) -> Iterator[Row]:
    """What no drawing can be faster than: a bare widget of the view's size that puts a finished image on the screen."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter, QPaintEvent
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QWidget

    class Bare(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            box = event.rect()
            QPainter(self).drawImage(box.topLeft(), image, box)

    bare, image = Bare(), QImage(*VIEW, QImage.Format.Format_RGB32)
    image.fill(0)
    bare.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    bare.resize(*VIEW)
    bare.show()
    QTest.qWaitForWindowExposed(bare)
    hand.settle()
    view = np.zeros((VIEW[1], VIEW[0]), np.uint32)
    kinds = {
        "floor: copy of the view in memory": lambda: milliseconds(view.copy),
        "floor: bare widget, 100 x 100": lambda: hand.timed(lambda: bare.update(300, 300, 100, 100)),
        "floor: bare widget, 400 x 400": lambda: hand.timed(lambda: bare.update(300, 300, 400, 400)),
        "floor: bare widget, the whole view": lambda: hand.timed(bare.update),
    }
    for kind, once in kinds.items():
        times = [once() for _ in range(REPEATS)]
        yield Row(f"{name} {kind}, p99", p99(times), "ms")
        yield Row(f"{name} {kind}, median", float(np.median(times)), "ms")
    bare.close()


def p99(times: list[float]) -> float:
    """99th percentile."""
    return float(np.percentile(times, 99))


def measure_dabs(hand: Hand, name: str) -> Iterator[Row]:
    """By what a dab repaints."""
    fit = min(VIEW[0] / hand.document.mask.width, VIEW[1] / hand.document.mask.height)
    kinds = {
        ("dab, repaints up to 100 x 100", 1.5): [(None, min(200, int(48 / fit))), (1, 48), (8, 5)],
        ("dab, repaints up to 400 x 400", 4.0): [(1, 195), (8, 24)],
        ("dab, repaints the whole view", 14.0): [(8, 200), (4, 200)],
        ("dab of radius 2000", 40.0): [(None, 2000), (1, 2000), (8, 2000)],
    }
    for (kind, goal), cases in kinds.items():
        repeats = 30 if goal == 40 else REPEATS
        times = [time for zoom, radius in cases for time in hand.dabs(zoom, radius, repeats)[0]]
        yield at_most(f"{name} {kind}, p99", p99(times), "ms", goal)
        yield Row(f"{name} {kind}, median", float(np.median(times)), "ms")


def measure_looking(hand: Hand, name: str) -> Iterator[Row]:
    """Pan, zoom, opacity; at fit, near and far."""
    panning: list[float] = []
    for zoom in (0.2, 0.37, 1, 1.37, 8):
        hand.look(zoom)
        steps = hand.random.integers(-60, 61, (REPEATS, 2))
        panning += [hand.timed(lambda step=step: hand.canvas.pan(*(int(n) for n in step))) for step in steps]
    yield at_most(f"{name} pan frame, p99", p99(panning), "ms", 8)
    yield Row(f"{name} pan frame, median", float(np.median(panning)), "ms")
    zooming: list[float] = []
    for _ in range(8):
        hand.look(None)
        zooming += [hand.timed(hand.canvas.zoom_in) for _ in range(15)]
        zooming += [hand.timed(hand.canvas.zoom_out) for _ in range(15)]
    yield at_most(f"{name} zoom frame, p99", p99(zooming), "ms", 14)
    yield Row(f"{name} zoom frame, median", float(np.median(zooming)), "ms")
    fading: list[float] = []
    for zoom in (None, 0.37, 1, 8):
        hand.look(zoom)
        fading += [hand.timed(lambda n=n: hand.canvas.set_opacity(0.3 + 0.5 * (n % 2))) for n in range(REPEATS // 2)]
    yield at_most(f"{name} opacity change, p99", p99(fading), "ms", 8)
    yield Row(f"{name} opacity change, median", float(np.median(fading)), "ms")


def measure_undo(hand: Hand, name: str, folder: Path) -> Iterator[Row]:
    """Strokes as a hand paints them, with the journal: bytes of a patch, ms from the release to the journal."""
    from app.domain.tools import TOOLS, ToolSettings
    from app.storage.database import Database
    from app.storage.journal import Journal

    journal, sizes = Journal(Database(folder / "journal.sqlite3")), []

    def enter(entry: object) -> None:
        journal.append("picture", entry)
        sizes.append(entry.patch.size)

    hand.document.on_entry.append(enter)
    hand.look(1)
    ending, moving = [], []
    for number in range(STROKES):
        radius = int(hand.random.choice([3, 10, 30, 80]))
        hand.canvas.set_tool(TOOLS["brush"], ToolSettings(number % 4, radius))
        way = np.cumsum(hand.random.normal(0, 25, (12, 2)), axis=0) + hand.random.uniform((300, 200), (1300, 800))
        hand.mouse("MouseButtonPress", *way[0])
        moving += [hand.timed(lambda place=place: hand.mouse("MouseMove", *place)) for place in way]
        start = time.perf_counter()
        hand.mouse("MouseButtonRelease", *way[-1])
        ending.append((time.perf_counter() - start) * 1e3)
        hand.settle()
    hand.document.on_entry.remove(enter)
    undoing = [hand.timed(hand.document.undo) for _ in range(100)]
    yield at_most(f"{name} undo, bytes a stroke, mean", float(np.mean(sizes)), "B", 6000)
    yield at_most(f"{name} end of a stroke with journal, p99", p99(ending), "ms", 3)
    yield Row(f"{name} move within a stroke, p99", p99(moving), "ms")
    yield Row(f"{name} undo to the screen, p99", p99(undoing), "ms")


def measure_opening(hand: Hand, megapixels: int, folder: Path) -> Iterator[Row]:
    """From the file to the screen: a reduced preview first, then the picture."""
    from app.storage import images
    from app.ui.canvas import Photo

    name, size = f"{megapixels} MP", SIZES[megapixels]
    path = folder / "picture.jpg"
    cv2.imwrite(str(path), photograph(*size), [cv2.IMWRITE_JPEG_QUALITY, 90])
    previews, sharps, decodes, quarters = [], [], [], []
    data = np.fromfile(path, np.uint8)
    for _ in range(5):
        hand.canvas.clear()
        previews.append(
            hand.timed(
                lambda: hand.canvas.show_image(
                    Photo.preview(images.preview(path, max(VIEW)), *size), hand.document, hand.classes
                )
            )
        )
        quarters.append(milliseconds(lambda: cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_4)))
        decodes.append(milliseconds(lambda: cv2.imdecode(data, cv2.IMREAD_COLOR)))
        sharps.append(hand.timed(lambda: hand.canvas.set_photo(Photo.of(images.read(path)))))
    rgb = images.read(path)
    halves = [milliseconds(lambda: Photo.of(rgb)) for _ in range(3)]
    goals = {24: (80, 250), 96: (280, 900)}[megapixels]
    yield at_most(f"{name} open: preview, median", float(np.median(previews)), "ms", goals[0])
    yield at_most(f"{name} open: sharp, median", float(np.median(sharps)), "ms", goals[1])
    yield Row(f"{name} of which half sizes", float(np.median(halves)), "ms")
    yield Row(f"{name} decoding alone, all of it, median", float(np.median(decodes)), "ms")
    yield Row(f"{name} decoding alone, a quarter, median", float(np.median(quarters)), "ms")


def measure(megapixels: int) -> list[Row]:
    """Everything for one size of picture, in a process of its own: memory is counted from its start."""
    name = f"{megapixels} MP"
    with display(), tempfile.TemporaryDirectory() as folder:
        hand = Hand(SIZES[megapixels])
        rows = list(measure_opening(hand, megapixels, Path(folder)))
        rows += measure_floor(hand, name)
        rows += measure_dabs(hand, name)
        rows += measure_looking(hand, name)
        rows += measure_undo(hand, name, Path(folder))
        rows.append(at_most(f"{name} memory, at rest", resident(), "MB", 150 + 9 * megapixels))
        rows += measure_beside_the_network(hand, name)
        hand.canvas.close()
    return rows


def measure_beside_the_network(hand: Hand, name: str) -> Iterator[Row]:
    """Dabs while the real network looks at one picture after the other in another thread; torch's stall is over."""
    from app import resources
    from app.jobs.job import Job, Progress
    from app.jobs.runner import Runner
    from core_model import Predictor, load_backbone

    weights = resources.path("models", "xception_imagenet.safetensors")
    rgb, looked, warm, enough = photograph(1000, 500), [], threading.Event(), threading.Event()

    def work() -> Job[None]:
        yield Progress()
        predictor = Predictor(load_backbone(weights, output_stride=16), "cpu")
        while not enough.is_set():
            looked.append(predictor.features(rgb).height)
            warm.set()

    runner = Runner("network", gives_way=True)  # as in the program
    runner.submit("predict", work)
    warm.wait()
    times = [time for zoom, radius in [(1, 48), (8, 5), (1, 195), (8, 24)] for time in hand.dabs(zoom, radius)[0]]
    enough.set()
    runner.close()
    yield at_most(f"{name} dab while the network predicts, p99", p99(times), "ms", 8)
    yield at_most(f"{name} dab while the network predicts, worst", max(times), "ms", 40)
    yield Row(f"{name} dab while the network predicts, pictures meanwhile", len(looked), "")


def resident() -> float:
    """MB of this process in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--megapixels", type=int, choices=SIZES, help="only this size, in this process")
    options = parser.parse_args()
    if options.megapixels:
        rows = measure(options.megapixels)
    else:
        rows = []
        for megapixels in SIZES:
            command = [sys.executable, "-m", "tests.benchmarks.canvas", "--json", "--megapixels", str(megapixels)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            rows += [Row(**row) for row in json.loads(done.stdout)]
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
