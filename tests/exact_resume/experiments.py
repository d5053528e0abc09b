"""Small experiments of every kind, and what two runs must agree on to count as the same.

Run as a script, it resumes runs in a fresh process: `experiments.py JOBS.json RESULTS.json`.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm
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


def train(run_dir: Path, case: tuple[str, str, str], n_epochs: int, batch_size: int = 130) -> dict:
    """Train from nothing, keeping every snapshot; return what the run came to."""
    logs = RunLogs(run_dir, existing=False, console=False)
    try:
        trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all"))
        trainer.setup(*build(*case))
        trainer.train(n_epochs, batch_size)
        return outcome(trainer, run_dir)
    finally:
        logs.close()


def resume(run_dir: Path, from_epoch: int | str, n_epochs: int) -> dict:
    """Go on from a snapshot of a run in its own directory; return what the run came to."""
    logs = RunLogs(run_dir, existing=True, console=False)
    try:
        trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all"))
        trainer.restore(run_dir, from_epoch)
        trainer.resume(n_epochs=n_epochs)
        return outcome(trainer, run_dir)
    finally:
        logs.close()


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
