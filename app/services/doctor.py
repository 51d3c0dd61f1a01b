"""Is this machine fit for Atrous? What is asked first when something does not work."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app import resources
from app.jobs.job import Job, Progress

LIBRARIES = (
    "PySide6-Essentials", "numpy", "opencv-python", "torch", "safetensors", "Pillow", "tifffile", "pyqtgraph", "click",
    "rich", "h5py", "platformdirs", "requests", "tomli-w", "openvino",
)  # fmt: skip
_BROKEN_PYSIDE = "6.12.0"
_ENOUGH = 2 << 30
_QT_TRAPS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QT_PLUGIN_PATH")


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `problem` says what is wrong and what to do, "" when all is well."""

    what: str
    found: str
    problem: str = ""


def examine() -> Job[list[Finding]]:
    """Looks at Python, libraries, Qt, the device, disk and permissions. Takes some seconds: it starts torch and Qt."""
    findings: list[Finding] = []
    for look in (_python, _libraries, _qt, _device, _disk, _shipped):
        yield Progress(len(findings), 0, look.__name__.strip("_"))
        findings += look()
    return findings


def _python() -> Iterator[Finding]:
    system = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("Python", system, "" if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")


def _libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"install it: pip install {name}")
            continue
        broken = name == "PySide6-Essentials" and version == _BROKEN_PYSIDE and sys.version_info < (3, 12)
        problem = "6.12.0 aborts on Python 3.11 after some thousand calls: pip install 'PySide6-Essentials!=6.12.0'"
        yield Finding(name, version, problem if broken else "")


def _qt() -> Iterator[Finding]:
    """Starts Qt in a process of its own, off screen: a missing system library shows only then."""
    for name in _QT_TRAPS:
        if value := os.environ.get(name):
            yield Finding(name, value, f"it may lead Qt to another Qt's plugins: unset {name}")
    code = "from PySide6.QtWidgets import QApplication; QApplication([]); print('ok')"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        problem = "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["it gives no reason"])[-1]
    except subprocess.TimeoutExpired:
        problem = "it does not answer"
    missing = f"{problem} (make setup names what is missing)" if problem else ""
    yield Finding("Qt", "does not start" if problem else "starts", missing)
    if sys.platform == "linux":
        display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        yield Finding("display", display or "none: the window cannot open, everything else works")


def _device() -> Iterator[Finding]:
    try:
        from core_model import best_engine, choose_device
    except (ImportError, OSError) as error:
        yield Finding("torch", "cannot be imported", f"{error}; install it again: pip install torch")
        return
    device = choose_device("auto")
    yield Finding("device", str(device))
    engine, lacking = best_engine(device)
    slower = f"{', '.join(lacking)}; the network runs, but slower" if lacking else ""
    yield Finding("engine", engine, slower)


def _disk() -> Iterator[Finding]:
    for what, folder in (("this folder", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        room = f"{folder}: {free / 2**30:.1f} GiB free"
        yield Finding(what, room, "" if free > _ENOUGH else "little room: learning keeps features on disk")
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Finding(what, "cannot be written", f"{folder}: {(error.strerror or str(error)).lower()}")


def _shipped() -> Iterator[Finding]:
    for name in ("models/xception_imagenet.safetensors", "models/starter.safetensors", "sample/class_names.txt"):
        path = resources.path(*name.split("/"))
        yield Finding(name, "there" if path.is_file() else "missing", "" if path.is_file() else "install Atrous again")
