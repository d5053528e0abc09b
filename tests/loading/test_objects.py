"""Algorithms and policies come from a directory alone, ready to act.

Each test is named by the promise that it proves: C of CO-GYM, K of skrl, S of Stoix, V of Velora.
"""

import random
import shutil

import numpy as np
import pytest
import torch

import garage_like
import garage_like.envs
from garage_like.configuration.configured import configuration_of
from garage_like.errors import SnapshotNotFoundError, SnapshotUntrustedError
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.graph.walk import leaves
from garage_like.torch.algos import DDPG
from garage_like.torch.policies import DeterministicMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.trainer import Trainer

OF_EACH_KIND = ("ppo", "dqn", "td3", "sac", "bc_record", "cem", "q_learning")
OTHERS = ("trpo", "vpg", "ddpg", "tqc", "mtsac", "cma_es", "sarsa")


class Still(RLAlgorithm):
    """Hold a policy and learn nothing."""

    def __init__(self, policy):
        self.policy = policy

    def train_epoch(self, trainer):
        return None


def save(algo, directory):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory))
    trainer.setup(algo, None)
    trainer.train(1)


def observations_for(policy, number=5):
    space = policy.env_spec.observation_space
    space.seed(3)
    return [space.sample() for _ in range(number)]


def tree(directory):
    """Say what a directory holds, and when it was changed."""
    return {str(p.relative_to(directory)): p.stat().st_mtime_ns for p in directory.rglob("*")}


@pytest.mark.parametrize(
    "name", [*OF_EACH_KIND, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_v01_every_agent_is_loaded_the_same_way_and_acts_as_the_one_that_was_saved(name, trained):
    run_dir, algo = trained(name)
    policy = garage_like.load_policy(run_dir)
    state = np.random.default_rng(5).bit_generator.state
    for observation in observations_for(policy):
        for each in (policy, algo.policy):
            if hasattr(each, "_rng"):
                each._rng.bit_generator.state = state
        action, infos = policy.get_action(observation)
        expected, expected_infos = algo.policy.get_action(observation)
        assert np.array_equal(action, expected)
        assert infos.keys() == expected_infos.keys()


def test_v07_an_algorithm_is_loaded_by_its_directory_alone_with_all_that_it_had(trained):
    run_dir, algo = trained("ppo")
    loaded = garage_like.load_algo(run_dir)
    assert type(loaded) is type(algo)
    assert loaded is not algo
    expected, found = leaves({"algo": algo}), leaves({"algo": loaded})
    weights = [path for path in expected if "parameter" in path or "weight" in path]
    assert weights
    assert {path: found[path] for path in weights} == {path: expected[path] for path in weights}


def test_v07_no_sampler_is_started_and_no_random_number_is_drawn(trained):
    run_dir, _ = trained("ppo")
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    loaded = garage_like.load_algo(run_dir)
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before == after
    assert loaded.sampler.total_env_steps == 2 * 80


def test_v08_replay_memory_is_left_on_the_disk(trained, tmp_path):
    run_dir, algo = trained("dqn")
    assert algo.replay_buffer.n_transitions_stored > 0
    [*_, last] = list_snapshots(run_dir)
    without = shutil.copytree(last, tmp_path / "without")
    shutil.rmtree(without / "tables")
    loaded = garage_like.load_algo(without)
    assert loaded.replay_buffer.n_transitions_stored == 0


def test_v07_modules_come_back_in_the_mode_they_were_saved_in(made, tmp_path):
    policy = made("ppo").policy
    policy.eval()
    policy.mlp.output.train()
    policy.mlp.hidden[0].weight.requires_grad_(False)
    save(Still(policy), tmp_path)
    loaded = garage_like.load_policy(tmp_path)
    trains = [name for name, module in loaded.named_modules() if module.training]
    frozen = [name for name, p in loaded.named_parameters() if not p.requires_grad]
    assert (trains, frozen) == (["mlp.output"], ["mlp.hidden.0.weight"])


def test_s07_an_epoch_is_loaded_by_its_number(trained):
    run_dir, algo = trained("ppo")
    first, last = (garage_like.load_policy(run_dir, epoch).get_param_values() for epoch in (0, 1))
    assert np.array_equal(last, algo.policy.get_param_values())
    assert not np.array_equal(first, last)


@pytest.mark.parametrize(
    ("path", "which", "message"),
    [
        ("typo", "last", r"typo: no such directory; .*; .* holds run"),
        ("rum", "last", r"rum: no such directory; .*; did you mean .*run\?"),
        ("rum/snapshots", "last", r"; did you mean .*run\?"),
        ("run", 7, r"no snapshot of epoch 7; there are 0, 1"),
        ("run/snapshots/epoch_000007", "last", r"did you mean .*epoch_00000[01]"),
        ("run/snapshots/epoch_000001", 0, "no snapshot of epoch 0; it is one snapshot, of epoch 1"),
    ],
)
def test_s07_a_typo_creates_nothing_and_says_what_is_there(path, which, message, trained, tmp_path):
    shutil.copytree(trained("ppo")[0], tmp_path / "run")
    before = tree(tmp_path)
    for load in (garage_like.load_policy, garage_like.load_algo):
        with pytest.raises(SnapshotNotFoundError, match=message):
            load(tmp_path / path, which)
    assert tree(tmp_path) == before


def test_s07_what_is_no_epoch_is_refused_by_name(trained):
    with pytest.raises(ValueError, match="must be an epoch, 'first', 'last' or 'best'; got 'lst'"):
        garage_like.load_policy(trained("ppo")[0], "lst")


def test_c04_one_snapshot_copied_elsewhere_alone_is_enough_to_evaluate(trained, tmp_path):
    run_dir, algo = trained("sac")
    [*_, last] = list_snapshots(run_dir)
    policy = garage_like.load_policy(shutil.copytree(last, tmp_path / "alone"))
    assert np.array_equal(policy.get_param_values(), algo.policy.get_param_values())


def test_loading_changes_nothing_in_the_run(trained):
    run_dir, _ = trained("dqn")
    before = tree(run_dir)
    garage_like.load_policy(run_dir)
    garage_like.load_algo(run_dir)
    assert tree(run_dir) == before


def test_algorithm_without_a_policy_says_so(tmp_path):
    save(Still(None), tmp_path)
    assert garage_like.load_algo(tmp_path).policy is None
    with pytest.raises(SnapshotNotFoundError, match="Still has no policy to act with, but None"):
        garage_like.load_policy(tmp_path)


def test_best_is_judged_as_the_run_judged_it(tmp_path, run_script):
    run_script(
        """
        import numpy as np
        from garage_like import Trainer, wrap_experiment
        from garage_like.interfaces import RLAlgorithm
        from garage_like.logging import tabular

        class Counting(RLAlgorithm):
            policy = None
            def __init__(self, start=0):
                self.epoch = start
            def train_epoch(self, trainer):
                tabular.record("Loss", [5.0, 1.0, 9.0][self.epoch])
                self.epoch += 1

        @wrap_experiment(log_dir="run", snapshot_mode="all", best_metric="Loss", best_mode="min")
        def count(ctxt=None):
            trainer = Trainer(ctxt)
            trainer.setup(Counting(), None)
            trainer.train(3)

        count()
        """
    )
    best = garage_like.load_algo(tmp_path / "run", "best")
    assert best.epoch == 2
    assert configuration_of(best)["start"] == 0
    assert configuration_of(type(best)(start=7))["start"] == 7


def test_modules_beside_the_launcher_are_found(tmp_path, run_script):
    (tmp_path / "beside_this_launcher.py").write_text(
        "from garage_like.interfaces import RLAlgorithm\n"
        "class Beside(RLAlgorithm):\n"
        "    policy = None\n"
        "    def train_epoch(self, trainer):\n"
        "        return None\n"
    )
    run_script(
        """
        from beside_this_launcher import Beside
        from garage_like import Trainer, wrap_experiment

        @wrap_experiment(log_dir="run")
        def stand(ctxt=None):
            trainer = Trainer(ctxt)
            trainer.setup(Beside(), None)
            trainer.train(1)

        stand()
        """
    )
    assert type(garage_like.load_algo(tmp_path / "run")).__name__ == "Beside"


def test_what_another_user_wrote_asks_for_trust(trained, monkeypatch):
    run_dir, _ = trained("ppo")
    monkeypatch.setattr("garage_like.snapshot.trust.user_name", lambda: "someone")
    with pytest.raises(SnapshotUntrustedError, match="pass trust=True"):
        garage_like.load_policy(run_dir)
    assert garage_like.load_policy(run_dir, trust=True).get_param_values().size


def trained_in_a_normalised_environment(directory):
    env = garage_like.envs.normalize(
        garage_like.envs.GymEnv("Pendulum-v1", max_episode_length=20), normalize_obs=True
    )
    policy = DeterministicMLPPolicy(env.spec, hidden_sizes=(4,))
    qf = ContinuousMLPQFunction(env.spec, hidden_sizes=(4,))
    algo = DDPG(
        env.spec,
        policy,
        qf,
        PathBuffer(200, env.spec),
        exploration_policy=AddGaussianNoise(env.spec, policy, total_timesteps=60),
        min_buffer_size=20,
        buffer_batch_size=8,
        num_evaluation_episodes=1,
    )
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory))
    trainer.setup(algo, env)
    trainer.train(2, 30)
    return algo, env


def test_policy_of_normalised_observations_says_so(tmp_path):
    trained_in_a_normalised_environment(tmp_path)
    with pytest.warns(UserWarning, match=r"trained on normalised observations.*load_env\(path\)"):
        garage_like.load_policy(tmp_path)


def test_off_policy_learning_trains_in_the_environment_that_is_saved(tmp_path):
    algo, env = trained_in_a_normalised_environment(tmp_path)
    (trained_in,) = algo.sampler.envs
    assert trained_in is env
    told = read_snapshot(tmp_path).normalizers["observation"]
    assert told["count"] == env.normalizers()["observation"]["count"] >= 60


def test_environment_is_loaded_with_the_statistics_of_training(tmp_path):
    _, env = trained_in_a_normalised_environment(tmp_path)
    loaded = garage_like.load_env(tmp_path)
    assert loaded.needs_reset
    loaded.reset()
    loaded.step(loaded.action_space.sample())
    ours, theirs = env.normalizers()["observation"], loaded.normalizers()["observation"]
    assert np.array_equal(ours["mean"], theirs["mean"])
    assert ours["count"] == theirs["count"]


def test_run_without_an_environment_has_none_to_load(tmp_path):
    save(Still(None), tmp_path)
    with pytest.raises(SnapshotNotFoundError, match="set up without an environment"):
        garage_like.load_env(tmp_path)
