"""Runs to and from the Hugging Face Hub: one snapshot with what describes it.

What goes up: `README.md` (the model card), `variant.json`, `progress.csv`, `progress.jsonl`, one
snapshot, and as `replay.mp4` the newest video of the policy up to it, which the Hub plays. What
does not: logs of the console, `metadata.json`, `experiment.json` and the archive of the launcher's
sources, which name machines, users and folders.

What comes down is checked before it is put in place: no name leads out, every digest holds. Its
manifests then say that the Hub wrote them, so that nothing of it runs until it is trusted.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from garage_like.errors import HubError, SnapshotCorruptError
from garage_like.files.run_files import (
    PROGRESS,
    PROGRESS_LINES,
    VARIANT,
    VIDEOS,
    is_plain,
    read_json,
)
from garage_like.interop.hub_client import HubClient
from garage_like.interop.model_card import REPLAY, model_card, return_with_spread
from garage_like.logging.log_files import make_directory
from garage_like.snapshot.choosing import FromEpoch, snapshot_path
from garage_like.snapshot.disk.layout import MANIFEST, SNAPSHOTS, epochs_in, parse_epoch
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.store import problems_of
from garage_like.snapshot.loading import run_dir_of

CARD = "README.md"
DESCRIBES = (VARIANT, PROGRESS, PROGRESS_LINES)
PULLED = Path("data") / "local" / "hub"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_WANTED = re.compile(
    r"README\.md|variant\.json|progress\.(csv|jsonl)"
    r"|snapshots/epoch_\d{6,18}/(manifest\.json|objects\.pkl|(tensors|tables)/[^\\]+)"
)


@dataclass(frozen=True)
class Upload:
    """What a push sends.

    Attributes:
        repo: ORG/NAME.
        snapshot: the directory.
        files: bytes of each file, by its path in the repository.
        card: the model card.
        result: return with spread, or None.
        url: of the commit; None if nothing was sent.
    """

    repo: str
    snapshot: str
    files: dict[str, int]
    card: str
    result: str | None
    url: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Attributes:
        repo: ORG/NAME.
        revision: the commit.
        directory: a run directory.
        epochs: of its snapshots.
        bytes: of all files.
    """

    repo: str
    revision: str
    directory: str
    epochs: list[int]
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def push(
    run: Path,
    repo: str,
    which: FromEpoch = "last",
    *,
    private: bool = False,
    dry_run: bool = False,
) -> Upload:
    """Send one snapshot of a run to the Hub; snapshots that were there before give way to it.

    Args:
        run: a run directory, its `snapshots/`, or one snapshot.
        repo: ORG/NAME; made if it is not there.
        which: `'last'`, `'best'`, `'first'` or an epoch.
        private: make a new repository private.
        dry_run: only say what would be sent.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot.
        SnapshotCorruptError: if it does not verify.
        HubError: if the Hub cannot be reached or refuses.
        ModuleNotFoundError: if huggingface_hub is not installed.
        ValueError: if the repository's name is none.
    """
    check_repo(repo)
    snapshot = snapshot_path(run, which)
    problems = problems_of(snapshot)
    if problems:
        raise SnapshotCorruptError(f"{snapshot}: not pushed, since it is damaged: {problems[0]}")
    manifest = Manifest.read(snapshot)
    files = {f"{SNAPSHOTS}/{snapshot.name}/{MANIFEST}": snapshot / MANIFEST}
    files |= {f"{SNAPSHOTS}/{snapshot.name}/{name}": snapshot / name for name in manifest.files}
    origin = run_dir_of(snapshot)
    variant = {}
    if origin is not None:
        files |= {name: origin / name for name in DESCRIBES if is_plain(origin / name)}
        variant = read_json(origin / VARIANT)
        replay = _replay(origin, manifest.epoch)
        files |= {} if replay is None else {REPLAY: replay}
    card = model_card(manifest, variant, repo, has_replay=REPLAY in files)
    sizes = {name: path.stat().st_size for name, path in sorted(files.items())}
    sizes = {CARD: len(card.encode()), **sizes}
    upload = Upload(repo, str(snapshot), sizes, card, return_with_spread(manifest))
    if dry_run:
        return upload
    client = HubClient()
    client.create(repo, private=private)
    of_runs = (f"{SNAPSHOTS}/", REPLAY)
    stale = [n for n in client.names(repo) if n.startswith(of_runs) and n not in files]
    message = f"Epoch {manifest.epoch}" + (f": {upload.result}" if upload.result else "")
    url = client.commit(repo, {CARD: card.encode(), **files}, stale, message)
    return Upload(**{**vars(upload), "url": url})


def pull(repo: str, out: Path | None = None, revision: str | None = None) -> Pulled:
    """Bring a run from the Hub. Nothing of it is run.

    Args:
        repo: ORG/NAME.
        out: directory to make; `data/local/hub/ORG/NAME` if none.
        revision: a branch, tag or commit.

    Raises:
        HubError: if the Hub cannot be reached, refuses, or has no run there.
        SnapshotCorruptError: if what came is damaged.
        FileExistsError: if there is something at `out`.
        ModuleNotFoundError: if huggingface_hub is not installed.
        ValueError: if the repository's name is none.
    """
    check_repo(repo)
    directory = PULLED / repo if out is None else out
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FileExistsError(f"{directory}: there is something already; name another with --out")
    client = HubClient()
    commit, names = client.listing(repo, revision)
    wanted = [name for name in names if _WANTED.fullmatch(name) and ".." not in name.split("/")]
    if not any(name.endswith(f"/{MANIFEST}") for name in wanted):
        raise HubError(
            f"{repo}: no snapshot of garage_like in it; weights of other libraries go in with"
            " garage_like.interop.migrate"
        )
    with _beside(directory) as draft:
        client.download(repo, commit, wanted, draft)
        for epoch_dir in sorted((draft / SNAPSHOTS).iterdir()):
            _check(epoch_dir, repo)
            _say_who_wrote_it(epoch_dir, f"{repo}@{commit[:12]} on the Hugging Face Hub")
        total = sum(path.stat().st_size for path in draft.rglob("*") if path.is_file())
        if directory.exists():
            directory.rmdir()
        draft.rename(directory)
    return Pulled(repo, commit, str(directory), epochs_in(directory / SNAPSHOTS), total)


def _replay(run: Path, epoch: int) -> Path | None:
    """Return the newest of the run's videos that show the policy up to an epoch."""
    found = {parse_epoch(p.stem): p for p in (run / VIDEOS).glob("epoch_*.mp4") if is_plain(p)}
    upto = [shown for shown in found if shown is not None and shown <= epoch]
    return found[max(upto)] if upto else None


def check_repo(repo: str) -> None:
    """Raise ValueError unless a text is ORG/NAME."""
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise ValueError(f"expected ORG/NAME, such as my-lab/ppo-cartpole, got {repo!r}")


def _check(epoch_dir: Path, repo: str) -> None:
    problems = problems_of(epoch_dir)
    if problems:
        raise SnapshotCorruptError(f"{repo}: what came is damaged: {problems[0]}")


def _say_who_wrote_it(epoch_dir: Path, writer: str) -> None:
    manifest = replace(Manifest.read(epoch_dir), written_by=writer)
    (epoch_dir / MANIFEST).write_bytes(manifest.to_bytes())


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """Yield an empty directory that is gone afterwards, unless it was renamed."""
    make_directory(directory.parent)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    draft.chmod(0o755)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
