"""The `garage-like` command: finds its subcommands when they are asked for."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from garage_like import __version__
from garage_like.cli import printing
from garage_like.errors import RunLockedError, SnapshotError

if os.environ.get("_GARAGE_LIKE_COMPLETE", "").startswith("bash"):
    import garage_like.cli.bash_tab  # noqa: F401

COMMANDS = (
    "ls",
    "show",
    "tree",
    "compare",
    "study",
    "ui",
    "plot",
    "play",
    "verify",
    "diff",
    "train",
    "resume",
    "sweep",
    "slurm",
    "branch",
    "export",
    "hub",
    "pull",
    "push",
    "verify-resume",
    "port",
    "pin",
    "unpin",
    "tag",
    "note",
    "prune",
    "rm",
)


class LazyGroup(click.Group):
    """Import a subcommand when it is needed, and say what is wrong in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands, in the order in which the help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand from the module that bears its name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        return getattr(importlib.import_module(f"garage_like.cli.{name}"), name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; an error that its user can act on becomes one line, exit status 1."""
        try:
            with printing.warnings_in_one_line():
                return super().invoke(ctx)
        except (SnapshotError, RunLockedError) as error:
            line = printing.told(" ".join(str(error).split()))
            raise click.ClickException(line) from error
        except click.ClickException as error:
            line = printing.told(error.message)
            if line == error.message:
                raise
            safe = click.ClickException(line)
            safe.exit_code = error.exit_code  # type: ignore[misc]
            raise safe from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="garage_like")
def main() -> None:
    """Look at training runs, check their snapshots, and go on with them.

    A RUN is a run directory, such as data/local/experiment/ppo_cartpole, its snapshots/, or one
    snapshot. Each command takes --json and then prints JSON for programs.
    """
