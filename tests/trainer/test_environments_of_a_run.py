"""Every environment that a run holds is in its label, wherever it is; each is judged by itself."""

import re

import gymnasium
import numpy as np
import pytest

from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.trainer import Trainer


class Walk(gymnasium.Env):
    """Forget where it is when it is pickled, if it is told to."""

    observation_space = gymnasium.spaces.Box(-99, 99, (1,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, forgets=False, act=None):
        self.forgets, self.x, self.act = forgets, 0.0, act

    def __getstate__(self):
        return {**vars(self), "x": 0.0} if self.forgets else vars(self)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = 0.0
        return np.array([self.x]), {}

    def step(self, action):
        if self.act is not None:
            self.act()
        self.x += 1.0 + action
        return np.array([self.x]), 0.0, False, self.x > 20, {}


class Holds(RLAlgorithm):
    """Hold anything, and learn nothing."""

    policy = None

    def __init__(self, **held):
        vars(self).update(held)

    def train_epoch(self, trainer):
        trainer.step_itr += 1


class OfAnotherLibrary:
    """A model that has environments in a list of its own."""

    def __init__(self, *envs):
        self.envs = list(envs)


def trained(directory, algo, env, epochs=2, **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all", **options))
    trainer.setup(algo, env)
    trainer.train(epochs, 30)
    return trainer


def searching(env, n_envs=1):
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(2,))
    worker_args = {"n_envs": n_envs}
    sampler = LocalSampler(policy, env, worker_class=VecWorker, worker_args=worker_args)
    return CEM(env.spec, policy, sampler, n_samples=2, best_frac=0.5)


@pytest.mark.parametrize(
    ("held", "place"),
    [
        ({"model": OfAnotherLibrary(Walk(), Walk(True))}, r"environment algo\.model\.envs\[1\]"),
        ({"test_env": GymEnv(Walk(True), max_episode_length=30)}, r"environment algo\.test_env"),
        ({"many": gymnasium.vector.SyncVectorEnv([lambda: Walk(True)])}, r"environment algo\.many"),
    ],
)
def test_environment_elsewhere_is_found_and_named(held, place, tmp_path):
    trained(tmp_path, Holds(**held), None)
    manifest = read_snapshot(tmp_path).manifest
    assert not manifest.exact
    (reason,) = manifest.reasons
    assert re.match(f"{place}: a copy of it differs", reason), reason


def test_environment_that_comes_later_is_found_when_it_does(tmp_path):
    class Later(Holds):
        def train_epoch(self, trainer):
            super().train_epoch(trainer)
            if trainer.step_itr == 2:
                self.late = Walk(True)

    trained(tmp_path, Later(), None, 3)
    exact = [read_snapshot(tmp_path, epoch).manifest.exact for epoch in range(3)]
    assert exact == [True, False, False]


def test_environments_of_one_class_are_judged_each_by_itself(tmp_path):
    trained(tmp_path, Holds(a=Walk(), b=Walk(True), c=Walk()), None)
    (reason,) = read_snapshot(tmp_path).manifest.reasons
    assert reason.startswith("environment algo.b: ")


def test_copies_share_one_trial(tmp_path, capsys):
    env = GymEnv(Walk(), max_episode_length=20)
    trained(tmp_path, searching(env, n_envs=5), env)
    said = capsys.readouterr().out
    assert said.count("Walk is tried: copies of it take 61 steps (check_env=False") == 1
    assert read_snapshot(tmp_path).manifest.exact


def test_environment_that_restarts_in_training_begins_anew_after_a_restore(tmp_path):
    env = GymEnv(Walk(True), max_episode_length=20)
    trained(tmp_path, searching(env), env)
    manifest = read_snapshot(tmp_path).manifest
    assert manifest.env_state["mode"] == "restart"
    assert manifest.reasons == [f"environment: {manifest.env_state['reason']}"]
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "next"))
    again.restore(tmp_path)
    assert again.env.needs_reset


def test_switch_tries_nothing_and_the_label_says_so(tmp_path, capsys):
    steps = []
    env = GymEnv(Walk(act=lambda: steps.append(1)), max_episode_length=20)
    trainer = trained(tmp_path, searching(env), env, check_env=False)
    assert len(steps) == trainer.total_env_steps
    assert "is tried" not in capsys.readouterr().out
    manifest = read_snapshot(tmp_path).manifest
    assert manifest.env_state["mode"] == "numerical"
    assert manifest.reasons == ["environment: it was not tried (check_env=False)"]


def test_switch_leaves_known_environments_exact(tmp_path):
    env = GymEnv("CartPole-v1", max_episode_length=20)
    trained(tmp_path, searching(env), env, check_env=False)
    assert read_snapshot(tmp_path).manifest.exact


def test_machine_outside_gets_the_steps_of_training_alone(tmp_path):
    log = tmp_path / "commands.txt"

    def act():
        with open(log, "a") as file:
            file.write("move\n")

    env = GymEnv(Walk(act=act), max_episode_length=20)
    trainer = trained(tmp_path / "run", searching(env), env)
    assert len(log.read_text().splitlines()) == trainer.total_env_steps
    (reason,) = read_snapshot(tmp_path / "run").manifest.reasons
    assert "writes to" in reason
    assert "commands.txt" in reason
