"""Small experiments of every kind, and what two runs must agree on to count as the same.

Run as a script, it resumes runs in a fresh process: `experiments.py JOBS.json RESULTS.json`.
"""

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from garage_like.envs import GymEnv
from garage_like.interfaces import Environment, RLAlgorithm
from garage_like.logging import RunLogs, tabular
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler, VecWorker
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.graph.walk import leaves
from garage_like.trainer import Trainer

WORKERS = {"default": DefaultWorker, "vec": VecWorker, "fragment": FragmentWorker}
AT_ONCE = ("sync", "async")
ALGORITHMS = ("vpg", "a2c", "ppo", "trpo", "cem", "cma_es", "own")
TIMES = ("Time", "seconds", "exec_times", "timer")


class PerturbAndKeep(RLAlgorithm):
    """An algorithm of the user's own: hill climbing, with its own generator and its own loop."""

    def __init__(self, policy: Any, sampler: Any) -> None:
        self.policy = policy
        self._sampler = sampler
        self._rng = np.random.default_rng(7)
        self._best = policy.get_param_values()
        self._best_return = -np.inf

    def train(self, trainer: Trainer) -> float:
        for _ in trainer.step_epochs():
            noise = self._rng.normal(scale=0.5, size=self._best.shape).astype(self._best.dtype)
            self.policy.set_param_values(self._best + noise + np.random.normal())
            episodes = trainer.obtain_episodes(trainer.step_itr)
            mean_return = float(episodes.rewards.sum() / len(episodes))
            if mean_return > self._best_return:
                self._best, self._best_return = self.policy.get_param_values(), mean_return
            tabular.record("MeanReturn", mean_return)
            trainer.step_itr += 1
        return self._best_return


def build(algorithm: str, env_id: str, worker: str) -> tuple[RLAlgorithm, GymEnv]:
    """Make an algorithm and its environment from nothing."""
    set_seed(11)
    env = GymEnv(env_id, max_episode_length=40)
    worker_args = {} if worker == "default" else {"n_envs": 3}
    if worker == "sync":
        env = GymEnv(gymnasium.make_vec(env_id, 3, vectorization_mode="sync", max_episode_steps=40))

    def sampler(policy: Any) -> LocalSampler:
        if worker in AT_ONCE:
            return LocalSampler(policy, env)
        if worker == "native":
            return LocalSampler(policy, env, n_envs=5)
        return LocalSampler(
            agents=policy, envs=env, worker_class=WORKERS[worker], worker_args=worker_args
        )

    if algorithm in ("vpg", "a2c", "ppo", "trpo"):
        return _on_policy(algorithm, env, sampler), env
    policy = _numpy_policy(env)
    if algorithm == "own":
        return PerturbAndKeep(policy, sampler(policy)), env
    from garage_like.np.algos import CEM, CMAES

    if algorithm == "cem":
        return CEM(env.spec, policy, sampler(policy), n_samples=4, best_frac=0.5), env
    return CMAES(env.spec, policy, sampler(policy), n_samples=4), env


def _numpy_policy(env: GymEnv) -> Any:
    from garage_like.np.policies import CategoricalMLPPolicy, GaussianMLPPolicy

    cls = CategoricalMLPPolicy if env.spec.is_discrete else GaussianMLPPolicy
    return cls(env.spec, hidden_sizes=(4,))


def _on_policy(algorithm: str, env: GymEnv, sampler: Any) -> RLAlgorithm:
    from garage_like.torch.algos import A2C, PPO, TRPO, VPG
    from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    cls = CategoricalMLPPolicy if env.spec.is_discrete else GaussianMLPPolicy
    policy = cls(env.spec, hidden_sizes=(16, 16))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(16, 16))
    algo = {"vpg": VPG, "a2c": A2C, "ppo": PPO, "trpo": TRPO}[algorithm]
    return algo(env.spec, policy, value_function, sampler(policy))


@contextlib.contextmanager
def recorded(run_dir: Path, kind: Any = Trainer, existing: bool = False) -> Iterator[Any]:
    """Yield a Trainer that keeps every snapshot of a run, and write the run's logs."""
    with contextlib.closing(RunLogs(run_dir, existing=existing, console=False)):
        trainer = kind(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all"))
        with trainer if hasattr(trainer, "__enter__") else contextlib.nullcontext():
            yield trainer


def train(
    run_dir: Path,
    case: tuple[str, ...],
    n_epochs: int,
    batch_size: int = 130,
    build: Callable[..., tuple[RLAlgorithm, Environment]] = build,
    kind: Any = Trainer,
) -> dict:
    """Train from nothing, keeping every snapshot; return what the run came to."""
    with recorded(run_dir, kind) as trainer:
        trainer.setup(*build(*case))
        trainer.train(n_epochs, batch_size)
        return outcome(trainer, run_dir)


def resume(run_dir: Path, from_epoch: int | str, n_epochs: int, kind: Any = Trainer) -> dict:
    """Go on from a snapshot of a run in its own directory; return what the run came to."""
    with recorded(run_dir, kind, existing=True) as trainer:
        trainer.restore(run_dir, from_epoch)
        trainer.resume(n_epochs=n_epochs)
        return outcome(trainer, run_dir)


def in_fresh_process(
    jobs: list, tmp_path: Path, *options: str, script: str = __file__
) -> list[dict]:
    """Resume runs in a process that has never seen them."""
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    subprocess.run(
        [sys.executable, script, tmp_path / "jobs.json", tmp_path / "out.json", *options],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "random"},
    )
    return json.loads((tmp_path / "out.json").read_text())


def check_resumes(
    cases: Iterable[tuple[str, ...]],
    tmp_path: Path,
    n_epochs: int,
    from_epochs: tuple[int, int],
    train: Callable[..., dict],
    resume: Callable[..., dict] = resume,
    script: str = __file__,
) -> dict[str, dict]:
    """Compare runs with resumes of them, from one epoch here and from one in a fresh process.

    Returns:
        What the runs came to that never stopped.
    """
    here, fresh = from_epochs
    found, expected, jobs = {}, {}, []
    for case in cases:
        name = "-".join(case)
        straight = expected[name] = train(tmp_path / name, case, n_epochs)
        assert len(straight["rows"]) == n_epochs
        for copy in ("here", "fresh"):
            shutil.copytree(tmp_path / name, tmp_path / f"{name}_{copy}")
        jobs.append([str(tmp_path / f"{name}_fresh"), fresh, n_epochs])
        resumed = resume(tmp_path / f"{name}_here", here, n_epochs)
        found[f"{name}, same process"] = differences(straight, resumed)[:8]
    outcomes = in_fresh_process(jobs, tmp_path, script=script)
    for (name, straight), resumed in zip(expected.items(), outcomes, strict=True):
        found[f"{name}, fresh process"] = differences(straight, resumed)[:8]
    assert found == {name: [] for name in found}
    return expected


def differences(ours: dict, theirs: dict) -> list[str]:
    """Say where two outcomes differ: state by path, table by row and column."""
    found = [
        f"{path}: {ours['state'].get(path)} != {theirs['state'].get(path)}"
        for path in sorted({*ours["state"], *theirs["state"]})
        if ours["state"].get(path) != theirs["state"].get(path)
    ]
    if ours["rows"] != theirs["rows"]:
        found.append(f"progress.csv: {ours['rows']} != {theirs['rows']}")
    return found


def outcome(trainer: Trainer, run_dir: Path) -> dict:
    """Return digests of the whole state by path, and the log's table; without times."""
    state = {key: value for key, value in trainer._graph().items() if key != "train_args"}
    digests = {
        path: digest
        for path, digest in leaves(state).items()
        if not any(word in path for word in TIMES)
    }
    return {"state": digests, "rows": rows_without_times(run_dir / "progress.csv")}


def rows_without_times(path: Path) -> list[dict[str, str]]:
    """Read a progress.csv, leaving out columns that hold times."""
    with open(path, newline="") as file:
        return [
            {
                key: value
                for key, value in row.items()
                if "Time" not in key or key == "TotalEnvSteps"
            }
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    jobs = json.loads(Path(sys.argv[1]).read_text())
    results = [resume(Path(run_dir), epoch, n_epochs) for run_dir, epoch, n_epochs in jobs]
    Path(sys.argv[2]).write_text(json.dumps(results))
