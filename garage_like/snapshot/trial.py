"""A restore that is tried: the objects of a snapshot are built, looked at and thrown away.

`python -m garage_like.snapshot.trial SNAPSHOT` does so in a process of its own, on the CPU, without
replay memory and with nothing of the run's: no live class or generator is touched, and no log is
opened. What came back is pickled again and compared with what was saved, leaf by leaf. Prints one
line of JSON.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from garage_like.errors import SnapshotCorruptError, SnapshotNotFoundError, SnapshotRestoreError
from garage_like.files.run_files import EXPERIMENT, read_json
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.loading import LoadedSnapshot, load_snapshot, run_dir_of

GONE = "gone"
TOO_LARGE = "too large"
MAX_NAMED = 5
_SHARE_OF_MEMORY = 0.25
_NICE = 19
_TOUCHED_BY_TORCH = re.compile(r"^[^:]*\.defaults\.\w+: was not saved")
"""Optimizers add defaults that they have learned of since; they are of no effect."""


class RestoreTrial:
    """A process that tries to restore a snapshot while this one does something else.

    Args:
        snapshot: the directory; of a user whom this one trusts.
        path: where modules are looked for; None: as this process does.
    """

    def __init__(self, snapshot: Path, path: list[str] | None = None) -> None:
        self.snapshot = snapshot
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path or sys.path))}
        hidden = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
        environment.update(dict.fromkeys(hidden, ""), JAX_PLATFORMS="cpu")
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(snapshot)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the trial is over; tell whether it is."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def problems(self) -> list[str]:
        """Return what would not come back, a sentence each; `[GONE]` if the snapshot has gone.

        Only when it is over.
        """
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        with contextlib.suppress(ValueError, IndexError, KeyError, TypeError):
            return [str(problem) for problem in json.loads(lines[-1])["problems"]]
        code = self._process.returncode
        if code == -9:
            return [TOO_LARGE]  # by all likelihood: no memory was left
        return [f"a restore ends its process with status {code}: {lines[-1] if lines else ''}"]

    def close(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()


def try_restore(snapshot: Path) -> list[str]:
    """Build the objects of a snapshot in this process; return what would not come back.

    Runs code that the snapshot brings along: trust it first.
    """
    try:
        if _needs_much(Manifest.read(snapshot)):
            return [TOO_LARGE]
        loaded = load_snapshot(snapshot, include_buffer=False)
    except (SnapshotNotFoundError, SnapshotCorruptError):
        return [GONE]
    from garage_like.snapshot.kinds.made_again import only_trying

    with only_trying():
        try:
            graph = loaded.graph(trust=True)
        except SnapshotRestoreError as error:
            return [str(error).removeprefix(f"{loaded.path}: ")]
        return _differences(loaded, graph)


def _needs_much(manifest: Manifest) -> bool:
    """Tell whether the arrays take too large a share of the memory that is free."""
    nbytes = sum(entry.get("nbytes", 0) for entry in manifest.arrays)
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return False
    return 3 * nbytes > _SHARE_OF_MEMORY * free


def _differences(loaded: LoadedSnapshot, graph: Mapping[str, Any]) -> list[str]:
    from garage_like.snapshot.capture import buffers_of, capture
    from garage_like.snapshot.disk.layout import OBJECTS
    from garage_like.snapshot.graph import saved_tree

    tree = saved_tree.read_tree(loaded.files[OBJECTS])
    if any(
        isinstance(part, str) and part.startswith("cuda") for _, part in saved_tree.walk_tree(tree)
    ):
        return []  # what a GPU held is on the CPU here, and is saved otherwise there
    known = _known_envs(loaded.manifest, graph)
    try:
        captured = capture(graph, env_states=known)
    except Exception as error:
        return [f"what comes back cannot be saved again: {error}"]
    saved, found = buffers_of(loaded), captured.buffers
    late = captured.late

    def same_bytes(ours: int, theirs: int) -> bool:
        there = late[theirs].content() if theirs in late else bytes(found[theirs])
        return bytes(saved[ours]) == there

    differing = saved_tree.differences(
        tree, saved_tree.read_tree(captured.objects), same_bytes, _PassedOver(bool(known))
    )
    told = (sentence for sentence in differing if _TOUCHED_BY_TORCH.search(sentence) is None)
    return list(itertools.islice(told, MAX_NAMED))


def _known_envs(manifest: Manifest, graph: Mapping[str, Any]) -> dict[Any, Any]:
    """Return what the run knew of its environment, if that begins a new episode."""
    from garage_like.snapshot.kinds.environments import EnvState, can_rebuild, kind_of

    env = graph.get("env")
    if env is None or manifest.env_state.get("mode") != "restart":
        return {}
    reason = str(manifest.env_state.get("reason", ""))
    return {kind_of(env): EnvState("restart", reason, can_rebuild(env))}


class _PassedOver:
    """Tell what is not compared: replay memory, and environments that begin a new episode."""

    def __init__(self, envs_restart: bool) -> None:
        self._envs_restart = envs_restart

    def __call__(self, node: Any) -> bool:
        from garage_like.snapshot.graph.parts import is_memory_class
        from garage_like.snapshot.kinds.environments import is_env_class

        if node.class_name.endswith((".Table", ".rebuild_table")):
            return True
        cls = _class_named(node.class_name)
        if cls is None:
            return False
        return is_memory_class(cls) or (self._envs_restart and is_env_class(cls))


def _class_named(named: str) -> type | None:
    """Return a class that has been restored: of a module, or of a launcher, which is none here."""
    from cloudpickle import cloudpickle

    module, _, name = named.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    if isinstance(found, type):
        return found
    of_launchers = list(cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS)
    return next((cls for cls in of_launchers if cls.__name__ == name), None)


def module_path(snapshot: Path) -> list[str]:
    """Return where the modules of a run are looked for: as its launcher did."""
    run_dir = run_dir_of(snapshot)
    told = {} if run_dir is None else read_json(run_dir / EXPERIMENT)
    folders = told.get("module_paths")
    return [*(map(str, folders) if isinstance(folders, list) else ()), *sys.path]


def _main(snapshot: str) -> None:
    with contextlib.suppress(OSError):
        os.nice(_NICE)  # training goes first
    with contextlib.suppress(OSError):  # where memory runs out, this is what ends
        Path("/proc/self/oom_score_adj").write_text("1000")
    begun = time.perf_counter()
    problems = try_restore(Path(snapshot))
    seconds = time.perf_counter() - begun
    print("\n" + json.dumps({"problems": problems, "seconds": seconds}), flush=True)
    os._exit(0)  # whatever was built need not be taken down


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    _main(sys.argv[1])
