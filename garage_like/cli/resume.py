"""`garage-like resume`: go on with a run, without the program that started it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from garage_like.cli import printing
from garage_like.cli.completing import RunType
from garage_like.cli.epoch_type import FromEpochType
from garage_like.cli.setting_option import setting_option
from garage_like.errors import SnapshotError
from garage_like.logging.notices import printing_forgiven
from garage_like.runs.continuation import Continuation, continuation
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.disk.manifest import Manifest


@click.command(epilog="Example: garage-like resume runs/ppo --additional-epochs 50")
@click.argument("run", type=RunType("resumed_here"))
@click.option(
    "--from-epoch",
    type=FromEpochType(),
    metavar="first|last|best|N",
    help="Snapshot to go on from; the last one if not given.",
)
@click.option("--n-epochs", type=click.IntRange(0), help="Epochs in total, if not as before.")
@click.option("--additional-epochs", type=click.IntRange(0), help="Epochs after the snapshot.")
@click.option("--batch-size", type=click.IntRange(1), help="Env steps per epoch, if not as before.")
@click.option(
    "--log-dir",
    type=click.Path(path_type=Path),
    metavar="NEW",
    help="Leave RUN as it is and go on in a new directory.",
)
@setting_option("Go on with another setting, algo.discount=0.98 say; may be repeated.")
@click.option(
    "--no-buffer",
    is_flag=True,
    help="Leave replay memory on the disk: begin with an empty one.",
)
@click.option("--require-exact", is_flag=True, help="Refuse to go on where bits may differ.")
@printing.trust_option
@click.option("--progress", is_flag=True, help="Show a progress bar instead of the log.")
@printing.json_option
def resume(
    run: Path,
    from_epoch: FromEpoch | None,
    n_epochs: int | None,
    additional_epochs: int | None,
    batch_size: int | None,
    log_dir: Path | None,
    settings: dict[str, Any],
    no_buffer: bool,
    require_exact: bool,
    trust: bool,
    progress: bool,
    as_json: bool,
) -> None:
    """Go on with RUN where its last snapshot was taken.

    The run continues in place: no row of its logs is missing or doubled. Going back to an earlier
    snapshot loses nothing: later ones, and what was logged after it, are moved aside. What the URL
    of a mirror holds is brought to data/local/experiment first, and goes on there.
    """
    if n_epochs is not None and additional_epochs is not None:
        raise click.UsageError("give --n-epochs (in total) or --additional-epochs, not both")
    if not as_json:  # which is a result; all else only tells
        click.get_current_context().with_resource(printing_forgiven())
    found = _found(
        run,
        from_epoch,
        log_dir,
        include_buffer=False if no_buffer else None,
        require_exact=require_exact,
        trust=trust,
        settings=settings,
    )
    nothing_left = found.is_finished(n_epochs, additional_epochs)
    if not nothing_left:
        lengths = {"n_epochs": n_epochs, "additional_epochs": additional_epochs}
        _train(found, {**lengths, "batch_size": batch_size}, progress, as_json)
    result = _result(found, nothing_left)
    if as_json:
        printing.print_json(result)
    elif nothing_left:
        printing.echo(
            f"Nothing is left to do: {result['last_epoch'] + 1} epochs are finished; pass"
            " --n-epochs or --additional-epochs to train longer"
        )
    else:
        printing.echo(f"Finished {result['last_epoch'] + 1} epochs in {result['run']}")


def _train(found: Continuation, args: dict[str, Any], progress: bool, as_json: bool) -> None:
    with contextlib.ExitStack() as stack:
        if as_json:  # whatever the run prints itself
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        if found.is_script_loop:
            if args.pop("batch_size") is not None:
                raise click.UsageError(
                    "--batch-size: the loop is the script's own; change it there"
                )
            if found.settings:
                raise click.UsageError("--set: the loop is the script's own; change it there")
            found.copy_experiment()
            found.run_script_again(**args)
            return
        stack.enter_context(found.logging(console=not (progress or as_json)))
        trainer = stack.enter_context(found.trainer())
        found.copy_experiment()
        if progress:
            from garage_like.cli.epoch_bar import epoch_bar

            stack.enter_context(epoch_bar(trainer))
        trainer.resume(**args)


def _found(
    run: Path, from_epoch: FromEpoch | None, log_dir: Path | None, **options: Any
) -> Continuation:
    try:
        return continuation(run, from_epoch, log_dir, **options)
    except FileExistsError as error:
        raise click.ClickException(str(error)) from error
    except SnapshotError:
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _result(found: Continuation, nothing_left: bool) -> dict[str, Any]:
    newest = found.snapshot if nothing_left else snapshot_path(found.run_dir)
    manifest = Manifest.read(newest)
    return {
        "run": str(found.run_dir if not nothing_left else found.origin or found.snapshot),
        "nothing_left": nothing_left,
        "last_epoch": manifest.epoch,
        "n_epochs": manifest.train_args.get("n_epochs"),
        "total_env_steps": manifest.total_env_steps,
        "snapshot": str(newest),
        "parent": manifest.parent,
    }
