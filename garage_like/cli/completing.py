"""What the shell's Tab knows: runs, epochs of a run, columns of runs, what there are settings for.

Bash has it after `eval "$(_GARAGE_LIKE_COMPLETE=bash_source garage-like)"`; zsh and fish alike.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from garage_like.files.run_files import EXPERIMENT, PROGRESS
from garage_like.snapshot.disk.layout import SNAPSHOTS

DEFAULT_ROOT = "data/local"
_MOST = 200
_MOST_READ = 20
_SIGNS = "=!<>~"


class RunType(click.Path):
    """The path of a run; Tab shows runs below what is typed.

    Args:
        urls: which function of `snapshot.mirror.reading` fetches what the URL of a mirror holds;
            None: it must be a run of this machine.
    """

    def __init__(self, urls: str | None = None) -> None:
        super().__init__(path_type=Path)
        self._urls = urls

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path of this machine; what a URL holds is fetched into a temporary place."""
        if "://" in str(value):
            from garage_like.snapshot.mirror import reading

            try:
                if (url := reading.url_in(value)) is not None:
                    if self._urls is None:
                        self.fail(f"{url}: expected a run of this machine; `garage-like pull` it")
                    value = getattr(reading, self._urls)(url)
            except (FileExistsError, ValueError, ModuleNotFoundError) as error:
                self.fail(" ".join(str(error).split()))
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return runs whose path begins so; nothing typed means those of the usual folder."""
        folder, _, begun = incomplete.rpartition("/")
        if "/" in incomplete:
            folder += "/"
        elif not incomplete and os.path.isdir(DEFAULT_ROOT):
            folder = f"{DEFAULT_ROOT}/"
        found = itertools.islice(_runs_below(folder, begun), _MOST)
        return [CompletionItem(path) for path in found]


class ColumnType(click.ParamType):
    """Names of columns, or what begins with one; Tab shows those that the runs have.

    Args:
        words: what may stand in the place of one.
    """

    name = "text"

    def __init__(self, *words: str) -> None:
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return columns that begin as the last name does."""
        cut = incomplete.rfind(",") + 1
        before, begun = incomplete[:cut], incomplete[cut:]
        if any(sign in begun for sign in _SIGNS):
            return []
        names = (*self._words, *_columns(_given_path(ctx)))
        return [CompletionItem(before + name) for name in names if name.startswith(begun)]


def complete_epochs(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the epochs that the run which was typed before has snapshots of."""
    from garage_like.snapshot.disk.layout import epochs_in

    return _beginning(incomplete, map(str, epochs_in(_given_path(ctx) / SNAPSHOTS)))


def complete_parts(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the components, or the tables, of the run which was typed before."""
    from garage_like.errors import SnapshotError
    from garage_like.snapshot.reader import read_snapshot

    try:
        found = read_snapshot(_given_path(ctx), "last")
    except SnapshotError:
        return []
    return _beginning(incomplete, found.tables if param.name == "table" else found.components)


def complete_algorithms(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the algorithms that there are settings for."""
    return _beginning(incomplete, _settings(ctx))


def complete_environments(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the environments that there are settings for, of the algorithm that was typed."""
    named = {name.lower(): envs for name, envs in _settings(ctx).items()}
    return _beginning(incomplete, named.get(str(ctx.params.get("algo")).lower(), ()))


def _settings(ctx: click.Context) -> dict[str, list[str]]:
    from garage_like.tuned import available

    return available(ctx.params.get("backend") or "torch")


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    begun = incomplete.lower()
    return [CompletionItem(name) for name in names if name.lower().startswith(begun)]


def _given_path(ctx: click.Context) -> Path:
    """Return the first run or folder that was typed."""
    # Where an option still lacks its value, click leaves the arguments as they were typed.
    for word in ctx.args:
        if os.path.isdir(word):
            return Path(word)
    given = next(filter(None, map(ctx.params.get, ("run", "runs", "root", "a"))), None)
    given = given[0] if isinstance(given, tuple) else given
    return Path(given or DEFAULT_ROOT)


def _runs_below(folder: str, begun: str) -> Iterator[str]:
    """Yield the runs in and below a folder whose first name below it begins so."""
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not begun.startswith(".")
        if not entry.name.startswith(begun) or hidden or not entry.is_dir(follow_symlinks=False):
            continue
        path = f"{folder}{entry.name}"
        if os.path.exists(f"{path}/{EXPERIMENT}") or os.path.isdir(f"{path}/{SNAPSHOTS}"):
            yield path
        else:
            yield from _runs_below(f"{path}/", "")


def _columns(root: Path) -> list[str]:
    """Return columns of a few of the runs, of their logs and their parameters."""
    from garage_like.errors import SnapshotCorruptError
    from garage_like.files.log_table import open_table
    from garage_like.runs.overview import overview
    from garage_like.runs.selection import COLUMNS

    names = dict.fromkeys(COLUMNS)
    is_run = (root / EXPERIMENT).exists() or (root / SNAPSHOTS).is_dir()
    found = [str(root)] if is_run else _runs_below(f"{root}/", "")
    for run in itertools.islice(found, _MOST_READ):
        known = overview(Path(run))
        names.update(dict.fromkeys([*known.parameters, *known.metrics]))
        try:
            with open_table(Path(run) / PROGRESS) as (columns, _):
                names.update(dict.fromkeys(columns))
        except SnapshotCorruptError:
            continue
    return list(names)
