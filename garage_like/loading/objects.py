"""Loading an algorithm, a policy or an environment from a directory, with nothing made by hand."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from garage_like.data.normalizers import arrays_of, use_normalizers
from garage_like.errors import SnapshotMismatchError, SnapshotNotFoundError
from garage_like.files.run_files import EXPERIMENT, read_json
from garage_like.interfaces import Environment, Policy, RLAlgorithm
from garage_like.logging.notices import warn
from garage_like.snapshot.choosing import FromEpoch
from garage_like.snapshot.graph.absent import Absent, classes_may_be_absent
from garage_like.snapshot.graph.walk import walk
from garage_like.snapshot.kinds.devices import building_on_cpu
from garage_like.snapshot.kinds.made_again import only_trying
from garage_like.snapshot.kinds.registry import KINDS
from garage_like.snapshot.loading import LoadedSnapshot, build_newest, load_snapshot, run_dir_of
from garage_like.snapshot.trust import check_trust


def load_algo(
    path: str | os.PathLike[str],
    which: FromEpoch = "last",
    *,
    map_location: Any = None,
    trust: bool = False,
) -> RLAlgorithm:
    """Load an algorithm with all of its parts, as they were at the end of an epoch.

    Modules come back in the mode they were saved in (`training`, `requires_grad`). No sampler is
    started, and replay memory is left on the disk and comes back empty: to go on training, use
    `Trainer.restore`.

    Args:
        path: a run directory, its `snapshots/`, or one snapshot.
        which: `'last'`, `'first'`, `'best'` or an epoch.
        map_location: the device for modules and optimizers, such as 'cpu' or 'cuda:0'; None: that
            which they were saved on, or the CPU where there is none like it.
        trust: load though another user wrote it: that runs code which the snapshot brings along.

    Raises:
        SnapshotNotFoundError: if there is no such snapshot; says what is there.
        SnapshotCorruptError: if it does not verify.
        SnapshotMismatchError: if a class that it needs cannot be imported.
        SnapshotUntrustedError: if another user wrote it, and it is not to be trusted.
        ValueError: if there is no such device here.
    """
    return _algo(_read(path, which), map_location, trust)


def load_policy(
    path: str | os.PathLike[str],
    which: FromEpoch = "last",
    *,
    map_location: Any = None,
    trust: bool = False,
) -> Policy:
    """Load a policy that acts at once: `load_policy(path).get_action(observation)`.

    What a loop of Stable-Baselines3 trained is its model, with `predict` and all else.

    It stands where an episode begins; its random numbers go on where the run's were. What else the
    run consisted of may be of libraries that are not installed here: JAX, say. One that was
    trained on normalised observations needs them normalised alike: a warning says so, and
    `load_env` loads the environment that does it.

    Args:
        path: as in `load_algo`.
        which: as in `load_algo`.
        map_location: as in `load_algo`.
        trust: as in `load_algo`.

    Raises:
        SnapshotNotFoundError: as in `load_algo`, and if the algorithm has no policy.
        SnapshotCorruptError: as in `load_algo`.
        SnapshotMismatchError: as in `load_algo`.
        SnapshotUntrustedError: as in `load_algo`.
        ValueError: as in `load_algo`.
    """
    loaded = _read(path, which)
    if "observation" in loaded.manifest.normalizers:
        warn(
            f"the policy of {loaded.path} was trained on normalised observations and acts well on"
            " no others: load_env(path) brings back its environment with the running mean and"
            " variance of training, read_snapshot(path).normalizers the numbers",
            stacklevel=2,
        )
    try:
        algo = _algo(loaded, map_location, trust)
    except SnapshotMismatchError:
        with classes_may_be_absent():
            algo = _algo(loaded, map_location, trust)
        if any(
            isinstance(value, Absent)
            for _, value in walk({"policy": getattr(algo, "policy", None)})
        ):
            raise
    policy: Any = getattr(algo, "policy", None)
    model: Any = getattr(algo, "model", None)
    if hasattr(model, "predict"):  # of Stable-Baselines3
        foreign: Policy = model
        return foreign
    if not hasattr(policy, "get_action"):
        raise SnapshotNotFoundError(
            f"{loaded.path}: {type(algo).__name__} has no policy to act with, but {policy!r};"
            " load_algo loads the algorithm as it is"
        )
    if callable(getattr(policy, "reset", None)):
        policy.reset()
    acting: Policy = policy
    return acting


def load_env(
    path: str | os.PathLike[str], which: FromEpoch = "last", *, trust: bool = False
) -> Environment:
    """Load the environment of a run to try a policy in; it must be reset first.

    It normalises with the running statistics of training, of all environments that the run trained
    in, and learns no further; it films nothing, so no film of training is overwritten. To go on
    training, use `Trainer.restore`.

    Args:
        path: as in `load_algo`.
        which: as in `load_algo`.
        trust: as in `load_algo`.

    Raises:
        SnapshotNotFoundError: as in `load_algo`, and if the run was set up without an environment.
        SnapshotCorruptError: as in `load_algo`.
        SnapshotMismatchError: as in `load_algo`.
        SnapshotUntrustedError: as in `load_algo`.
    """
    loaded = _read(path, which)
    env: Any = _graph(loaded, None, trust).get("env")
    if env is None:
        raise SnapshotNotFoundError(
            f"{loaded.path}: the run was set up without an environment; load_algo loads the"
            " algorithm, which may hold one"
        )
    from garage_like.envs.copy import without_effects

    use_normalizers(env, arrays_of(loaded.manifest.normalizers))
    without_effects(env, windows=True)
    env.needs_reset = True
    loaded_env: Environment = env
    return loaded_env


def _read(path: str | os.PathLike[str], which: FromEpoch) -> LoadedSnapshot:
    """Read and verify a snapshot but for replay memory."""
    return load_snapshot(path, which, include_buffer=False)


def _algo(loaded: LoadedSnapshot, map_location: Any, trust: bool) -> Any:
    """Build the objects; return the algorithm, on a device."""
    devices = {} if map_location is None else {k: k.device(map_location) for k in KINDS}
    algo = _graph(loaded, map_location, trust)["algo"]
    for kind, device in devices.items():
        if device is not None:
            kind.move((value for _, value in walk({"algo": algo})), device)
    return algo


def _graph(loaded: LoadedSnapshot, map_location: Any, trust: bool) -> dict[str, Any]:
    """Build the objects; what the run's launcher could import can be imported here."""
    check_trust(loaded.path, loaded.manifest, trust)  # importing its modules runs code too
    folders = _experiment(loaded.path).get("module_paths")
    known = [str(folder) for folder in folders] if isinstance(folders, list) else []
    sys.path[:0] = [folder for folder in known if folder not in sys.path]
    with contextlib.nullcontext() if map_location is None else building_on_cpu():
        return build_newest(loaded, lambda found: _looked_at(found, trust))[1]


def _looked_at(found: LoadedSnapshot, trust: bool) -> dict[str, Any]:
    """Build the objects; open no log of the run, and start no workers."""
    with only_trying():
        return found.graph(trust)


def _experiment(snapshot: Path) -> dict[str, Any]:
    """Return what the experiment of a run wrote down of itself; nothing if there is none."""
    run_dir = run_dir_of(snapshot)
    return {} if run_dir is None else read_json(run_dir / EXPERIMENT)
