"""The commands behind the verbs: a new one is one function, one entry here and its name in VERBS."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.machine import demo, doctor
from app.commands.model import model
from app.commands.network import evaluate, predict, segment, train
from app.commands.project import check, export, import_, info, new, review

COMMANDS: tuple[click.Command, ...] = (
    new, info, predict, segment, review, train, evaluate, export, import_, model, check, doctor, demo,
)  # fmt: skip


class Verbs(click.Group):
    """Says what a first word should have been that is neither a verb nor, alone, a folder."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb and what follows it."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            if Path(args[0]).exists():
                raise click.UsageError(f"nothing can follow the project to open, {args[0]!r}")
            raise click.UsageError(f"there is no verb and no folder called {args[0]!r}")
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="atrous", prog_name="atrous")
def verbs() -> None:
    """Makes segmentation datasets: the network pre-segments, a person corrects, the network learns beside the hand.

    atrous [PROJECT] opens the window. PROJECT is a folder with atrous.toml, or any VOC dataset. --debug shows where
    something went wrong.
    """


for _command in COMMANDS:
    verbs.add_command(_command)


def run(arguments: list[str]) -> int:
    """Runs a verb and returns its exit code; wrong usage is told here."""
    try:
        result = verbs.main(args=arguments, prog_name="atrous", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return result if isinstance(result, int) else 0
