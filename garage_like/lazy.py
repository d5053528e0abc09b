"""Packages whose names are loaded when they are first used.

Such a package lists its names once, where a type checker and an editor look for them:

    if TYPE_CHECKING:
        from garage_like.snapshot.config import SnapshotConfig as SnapshotConfig

    __getattr__, __dir__, __all__ = lazy.names(__name__)

Modules that have moved are found under their old names too.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple


class LazyNames(NamedTuple):
    """What a package defines to offer names that it has not loaded."""

    getattr: Callable[[str], Any]
    dir: Callable[[], list[str]]
    all: list[str]


def names(package: str) -> LazyNames:
    """Return `__getattr__`, `__dir__` and `__all__` for a package: what it imports for types.

    Args:
        package: its `__name__`, while it is being imported.
    """
    module = sys.modules[package]
    homes = _homes(package)

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, original = homes[name]
        if home == package:
            return importlib.import_module(f"{home}.{original}")
        value = getattr(importlib.import_module(home), original)
        setattr(module, name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(module), *homes})

    return LazyNames(load, listed, sorted(homes))


def _homes(package: str) -> dict[str, tuple[str, str]]:
    """Read which module each name is from: the imports under `if TYPE_CHECKING` that rename."""
    spec = importlib.util.find_spec(package)
    loader = None if spec is None else spec.loader
    source = loader.get_source(package) if isinstance(loader, importlib.abc.InspectLoader) else ""
    return {
        alias.asname: (statement.module or "", alias.name)
        for block in ast.parse(source or "").body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.asname is not None
    }


_KINDS = (
    *("arrays", "attributes", "devices", "keras_objects", "memory"),
    *("tf_arrays", "tf_live", "tf_sessions", "torch_arrays", "torch_slots"),
)

MOVED: dict[str, str] = {
    f"garage_like.{then}": f"garage_like.{now}"
    for then, now in {
        "batches": "data.batches",
        "cli.report": "runs.report",
        "_dtypes": "data.batches",  # garage's own, as some of its programs import it
        "_functions": "evaluation",
        "_environment": "data.env_spec",
        "env_spec": "data.env_spec",
        "env_step": "data.env_step",
        "experiment.experiment": "experiment",
        "experiment.snapshotter": "snapshot.snapshotter",
        "torch._functions": "torch",
        "experiment.automatic_directory": "trainer.automatic_directory",
        "experiment.branching": "runs.branching",
        "experiment.continuation": "runs.continuation",
        "experiment.launcher": "trainer.launcher",
        "experiment.family": "runs.family",
        "experiment.meta_evaluator": "sampler.meta_evaluator",
        "envs.mujoco.half_cheetah_dir_env": "envs.mujoco.half_cheetah_tasks",
        "envs.mujoco.half_cheetah_vel_env": "envs.mujoco.half_cheetah_tasks",
        "envs.wrappers.pixel_observation": "envs.wrappers.images",
        "np._functions": "np",
        "sampler.utils": "evaluation",
        "envs.task_name_wrapper": "envs.task_wrappers",
        "envs.task_onehot_wrapper": "envs.task_wrappers",
        "np.algos.meta_rl_algorithm": "algos.meta_rl_algorithm",
        "experiment.overview": "runs.overview",
        "experiment.removal": "runs.removal",
        "infos": "data.infos",
        "interruption": "trainer.interruption",
        "pictures.curves": "runs.curves",
        "pictures.drawing": "runs.drawing",
        "plain_values": "configuration.plain_values",
        "run_configuration": "configuration.comparison",
        "run_session": "trainer.session",
        "safe_points": "trainer.safe_points",
        "snapshot.normalizers": "data.normalizers",
        "snapshot.graph.ale_state": "snapshot.kinds.ale",
        "snapshot.graph.env_state": "snapshot.kinds.environments",
        "snapshot.graph.mujoco_data": "snapshot.kinds.mujoco",
        "snapshot.tf_random": "snapshot.kinds.tf_random",
        **{f"snapshot.graph.{name}": f"snapshot.kinds.{name}" for name in _KINDS},
        "table": "data.table",
        "train_state": "trainer.state",
        "training": "trainer.handle",
        "torch.kernels.compiled.binding": "np.compiled.binding",
        "torch.kernels.compiled.network": "np.compiled.network",
        "torch.kernels.compiled.q_step": "np.compiled.q_step",
    }.items()
}
"""Modules that programs may still import by the names that they had: then → now."""


class MovedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import modules by the names that they had.

    garage keeps each class in a module that is called as it is: `envs.wrappers.clip_reward`. Where
    ours lies elsewhere, that name is the package that offers the class.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module that has moved; of any other, nothing is known here."""
        is_known = name in MOVED or _is_called_as_a_class(name)
        return importlib.machinery.ModuleSpec(name, self) if is_known else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module that it is now in the old one's place."""
        name = module.__name__
        home = MOVED.get(name, name.rpartition(".")[0])
        sys.modules[name] = importlib.import_module(home)


def _is_called_as_a_class(name: str) -> bool:
    """Tell whether a package of ours offers a class under the name of a module it has not."""
    package, _, last = name.rpartition(".")
    if not package.startswith("garage_like.") or last.startswith("_"):
        return False
    spelled = last.replace("_", "")
    offered = getattr(sys.modules.get(package), "__all__", ())
    return any(other.lower() == spelled and not other.islower() for other in offered)


def find_moved_modules() -> None:
    """Let modules be imported by the names that they had."""
    sys.meta_path.append(MovedModules())
