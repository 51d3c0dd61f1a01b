"""The `atrous` command: every verb without a window, and the window itself."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from app import services
from app.commands import COMMANDS
from app.commands.options import FOLDER
from app.console import note
from app.domain.classes import ClassError
from app.formats import FormatError
from app.storage.errors import StorageError, reason


class Verbs(click.Group):
    """A first word that is no verb is a project to open."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb and what follows it."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "open", self.commands["open"], args
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="atrous", prog_name="atrous")
@click.pass_context
def verbs(context: click.Context) -> None:
    """Makes segmentation datasets: the network pre-segments, a person corrects, the network learns beside the hand.

    atrous [PROJECT] opens the window. PROJECT is a folder with atrous.toml, or any VOC dataset. --debug shows where
    something went wrong.
    """
    if context.invoked_subcommand is None:
        context.exit(_window(None))


@verbs.command("open", hidden=True)
@click.argument("project", type=FOLDER)
def open_(project: Path) -> None:
    """Opens the window."""
    if not project.exists():
        raise click.UsageError(f"there is no verb and no folder called {str(project)!r}")
    click.get_current_context().exit(_window(project))


def _window(project: Path | None) -> int:
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise services.Refusal("there is no display to open a window on; atrous demo runs the whole loop without one")
    try:
        from app.main import run
    except ImportError as error:
        raise services.Refusal(f"the window cannot start: {error}; atrous doctor says what is missing") from error
    return run(project)


for _command in COMMANDS:
    verbs.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process: 0, 1 for a failure told in one line, 2 for wrong usage, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    sys.exit(_status([word for word in arguments if word != "--debug"], debug))


def _status(arguments: list[str], debug: bool) -> int:
    try:
        result = verbs.main(args=arguments, prog_name="atrous", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        note("atrous: stopped; what was done until then is kept")
        return 130
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (whoever read our output has left: say nothing more)
        return 1
    except (services.Refusal, StorageError, FormatError, ClassError) as error:
        return _failed(str(error), debug)
    except OSError as error:
        return _failed(f"{error.filename or 'a file'}: {reason(error)}; what was done until then is kept", debug)
    except Exception as error:  # the boundary of the program: a fault of ours, told in one line as well
        return _failed(f"a fault in Atrous: {type(error).__name__}: {error} (--debug shows where)", debug)


def _failed(text: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    note(f"atrous: {' '.join(text.split())}")
    return 1
