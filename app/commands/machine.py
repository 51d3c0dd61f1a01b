"""Verbs about this machine: is it fit, and does the whole loop run on it?"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from app import services
from app.commands.options import FOLDER
from app.console import follow, note, say, table
from app.storage.project import Project


@click.command()
def doctor() -> None:
    """Looks whether this machine has all that Atrous needs."""
    findings = follow(services.examine(), "doctor")
    table(["what", "found", "problem"], [(one.what, one.found, one.problem) for one in findings])
    if problems := [one.what for one in findings if one.problem]:
        raise services.Refusal(f"not in order: {', '.join(problems)}")


@click.command()
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
def demo(folder: Path | None) -> None:
    """Runs the whole loop on the sample project without a window, and leaves screenshots of each stage."""
    where = folder or Path(tempfile.mkdtemp(prefix="atrous-demo-"))
    follow(services.demo(where, _Showing(where / "screenshots")), "demo")
    say(f"all of it lies in {where}")


class _Showing:
    """Says what each stage did, and takes a picture of the window then, where Qt can draw one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count, self._works = folder, 0, True

    def __call__(self, stage: str, text: str, project: Project, image_id: str) -> None:
        say(f"{stage}: {text}")
        self._count += 1
        if not self._works:
            return
        try:
            from app.main import shoot

            shoot(project, self._folder / f"{self._count}-{stage}.png", image_id=image_id)
        except (ImportError, RuntimeError, OSError) as error:
            self._works = False
            note(f"note: no screenshots: {error}")
