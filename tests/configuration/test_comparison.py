"""What a run is made of is written down, and a restore into something else is refused.

Each test is named by the promise that it proves: C of CO-GYM, S of Stoix, V of Velora.
"""

import json
import shutil

import numpy as np
import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.configuration.comparison import differences
from garage_like.envs import GymEnv, normalize
from garage_like.errors import SnapshotMismatchError
from garage_like.interfaces import RLAlgorithm
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot


def build(hidden_sizes=(4,), episode_length=20, **options):
    env = normalize(GymEnv("CartPole-v1", max_episode_length=episode_length))
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=hidden_sizes)
    return CEM(
        env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5, **options
    ), env


def train(directory, *parts, n_epochs=1):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory))
    trainer.setup(*parts)
    trainer.train(n_epochs, batch_size=40)
    return trainer


def restore(directory, *parts, **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory))
    trainer.setup(*parts)
    trainer.restore(directory, **options)
    return trainer


class Looks(RLAlgorithm):
    """Read what is there while an epoch runs."""

    policy = None

    def train_epoch(self, trainer):
        self.seen = json.loads((trainer.run_dir / "configuration.json").read_bytes())


def tree(directory):
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run that nothing may change."""
    directory = tmp_path_factory.mktemp("run")
    train(directory, *build())
    return directory


def test_c05_the_configuration_is_readable_beside_the_weights_defaults_included(run_dir):
    found = read_snapshot(run_dir).configuration
    assert found["algo"]["extra_std"] == 1.0
    assert found["algo"]["policy"] == "policy"
    assert found["policy"]["hidden_sizes"] == [4]
    assert found["sampler"]["agents"] == "policy"
    assert found["env"]["env"]["env"] == "CartPole-v1"
    assert found["env_spec"]["max_episode_length"] == 20


def test_s01_each_snapshot_has_the_whole_configuration(tmp_path):
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all"))
    trainer.setup(*build())
    trainer.train(2, batch_size=40)
    manifests = [path / "manifest.json" for path in list_snapshots(tmp_path)]
    first, last = (json.loads(path.read_bytes())["configuration"] for path in manifests)
    assert first == last
    assert first["algo"]["class"] == "garage_like.np.algos.cem.CEM"


def test_v06_an_overview_is_written_once_and_tells_the_experiment_before_any_snapshot(tmp_path):
    trainer = train(tmp_path, Looks(), GymEnv("CartPole-v1"))
    assert trainer.algo.seen["algorithm"] == "Looks"
    assert trainer.algo.seen["environment"] == "CartPole-v1"
    written = (tmp_path / "configuration.json").stat().st_mtime_ns
    again = restore(tmp_path, Looks(), GymEnv("CartPole-v1"))
    again.resume(n_epochs=2)
    assert (tmp_path / "configuration.json").stat().st_mtime_ns == written
    assert list(tmp_path.glob("configuration.json.orphan-*")) == []


def test_v06_nothing_is_written_where_nothing_is_saved(tmp_path):
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "run", snapshot_mode="none"))
    trainer.setup(*build())
    trainer.train(1, batch_size=40)
    assert not (tmp_path / "run").exists()


def test_c08_the_same_configuration_is_restored(run_dir):
    algo, env = build()
    assert restore(run_dir, algo, env).algo is algo


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra_std": 0.5}, r"algo\.extra_std was 1\.0 and is now 0\.5"),
        ({"hidden_sizes": (8, 8)}, r"policy\.hidden_sizes was \[4\] and is now \[8, 8\]"),
        (
            {"episode_length": 30},
            r"env\.env\.max_episode_length was 20 and is now 30; .*"
            r"env_spec\.max_episode_length was 20 and is now 30",
        ),
    ],
    ids=["algorithm", "policy", "environment"],
)
def test_c08_a_mismatch_names_the_key_and_both_values(options, message, run_dir):
    algo, env = build(**options)
    before, state = tree(run_dir), dict(vars(algo))
    with pytest.raises(SnapshotMismatchError, match=f"another configuration: {message}"):
        restore(run_dir, algo, env)
    assert tree(run_dir) == before
    assert vars(algo) == state


def test_c08_another_environment_is_named_by_its_class_or_its_id(run_dir):
    algo, env = build()
    with pytest.raises(SnapshotMismatchError, match=r"env\.class was .*NormalizedEnv.* GymEnv|env"):
        restore(run_dir, algo, env.unwrapped)
    other = normalize(GymEnv("Acrobot-v1", max_episode_length=20))
    with pytest.raises(
        SnapshotMismatchError, match=r'env\.env\.env was "CartPole-v1" and is now "A'
    ):
        restore(run_dir, algo, other)


def test_c08_a_warning_says_what_counts_and_the_snapshot_is_restored(run_dir):
    algo, env = build(extra_std=0.5, hidden_sizes=(8,))
    told = r"otherwise: algo\.extra_std was 1\.0 and is now 0\.5\. .*: policy\.hidden_sizes was "
    with pytest.warns(UserWarning, match=told):
        trainer = restore(run_dir, algo, env, config_policy="warn")
    assert trainer.algo is algo
    assert algo._extra_std == 0.5
    assert algo.policy._sizes[1] == 4


def test_c08_it_may_be_ignored(run_dir):
    algo, env = build(extra_std=0.5)
    restore(run_dir, algo, env, config_policy="ignore")
    assert algo._extra_std == 1.0


def test_c08_another_policy_on_mismatches_is_refused_at_once(tmp_path):
    with pytest.raises(
        ValueError, match="must be 'error', 'warn', 'ignore' or 'update', got 'strict'"
    ):
        Trainer().restore(tmp_path / "nowhere", config_policy="strict")


def test_c08_without_setup_there_is_nothing_to_compare(run_dir):
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir))
    trainer.restore(run_dir)
    assert trainer.algo._extra_std == 1.0


def test_c08_an_argument_that_only_one_version_knows_is_no_mismatch(run_dir, tmp_path):
    class Later(CEM):
        """CEM as a later version may know it."""

        def __init__(self, *args, novelty=0.0, **options):
            super().__init__(*args, **options)
            self.novelty = novelty

    Later.__module__, Later.__qualname__ = CEM.__module__, CEM.__qualname__
    _, env = build()
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    algo = Later(
        env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5, novelty=1.0
    )
    restore(run_dir, algo, env)


@pytest.mark.parametrize(
    ("was", "is_now", "expected"),
    [
        ("__main__.f", "pkg.launcher.f", []),
        ("pkg.launcher.f", "__main__.f", []),
        ("__main__.f", "pkg.gf", ['algo.init was "__main__.f" and is now "pkg.gf"']),
        ("a.json", "b.json", ['algo.init was "a.json" and is now "b.json"']),
        ({"a": 1}, {"a": 1, "b": 2}, ['algo.init was {"a": 1} and is now {"a": 1, "b": 2}']),
        (True, 1, ["algo.init was true and is now 1"]),
    ],
)
def test_c08_a_launcher_that_was_started_or_imported_is_the_same(was, is_now, expected):
    recorded, now = ({"algo": {"class": "m.A", "init": value}} for value in (was, is_now))
    assert differences(recorded, now) == expected


def test_c08_a_class_that_moved_is_the_same_and_another_is_named():
    recorded = {"algo": {"class": "old.room.PPO", "rate": 1}}
    assert differences(recorded, {"algo": {"class": "new.PPO", "rate": 1}}) == []
    assert differences(recorded, {"algo": {"class": "new.TRPO", "rate": 2}}) == [
        'algo.class was "old.room.PPO" and is now "new.TRPO"'
    ]


def test_c08_what_a_forged_snapshot_says_is_compared_without_harm():
    now = {"algo": {"class": "m.A", "policy": "policy"}, "policy": {"class": "m.P", "size": 1}}
    forged = {"algo": {"class": "m.A", "policy": "algo"}, "policy": {"class": ["x"], "size": {}}}
    assert len(differences(forged, now)) == 2
    assert differences({"algo": 3}, now) == []


def small_experiment(log_dir, **options):
    @wrap_experiment(log_dir=log_dir, archive_launch_repo=False, console=False, **options)
    def small(ctxt=None, *, rate=1.0, config_policy="error", source=None):
        trainer = Trainer(ctxt)
        trainer.setup(*build())
        if source is None:
            trainer.train(1, batch_size=40)
        else:
            trainer.restore(source, config_policy=config_policy)
            trainer.resume(additional_epochs=1)

    return small


def test_c08_parameters_of_the_experiment_count_where_it_goes_on_in_place(tmp_path):
    small = small_experiment(tmp_path / "run", use_existing_dir=True)
    small()
    with pytest.raises(SnapshotMismatchError, match=r"parameters\.rate was 1\.0 and is now 2\.0"):
        small(rate=2.0, source=tmp_path / "run")


def test_c08_a_new_run_that_starts_from_another_has_parameters_of_its_own(tmp_path):
    small_experiment(tmp_path / "run")()
    small_experiment(tmp_path / "new")(rate=2.0, source=tmp_path / "run")
    found = read_snapshot(tmp_path / "new").configuration["parameters"]
    assert found["rate"] == 2.0


def test_c08_a_snapshot_of_before_configurations_were_kept_is_restored(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "garage_like.trainer.configuration.RunConfiguration.sections", lambda *_: {}
    )
    train(tmp_path, *build())
    monkeypatch.undo()
    assert read_snapshot(tmp_path).configuration == {}
    restore(tmp_path, *build(extra_std=0.5))


def test_s01_optimizers_made_by_default_show_what_they_are(tmp_path):
    from garage_like.torch.algos import PPO
    from garage_like.torch.policies import CategoricalMLPPolicy as TorchPolicy
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = TorchPolicy(env.spec, hidden_sizes=(4,))
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(4,))
    train(tmp_path, PPO(env.spec, policy, value_function), env, n_epochs=0)
    found = json.loads((tmp_path / "configuration.json").read_bytes())
    assert found["algo"]["policy_optimizer"] == "policy_optimizer"
    assert found["policy_optimizer"]["optimizer"] == ["torch.optim.adam.Adam", {"lr": 0.00025}]
    assert found["policy_optimizer"]["module"] == "policy"


def test_v05_v06_the_copy_of_a_snapshot_still_says_what_it_is(run_dir, tmp_path):
    [*_, last] = list_snapshots(run_dir)
    alone = shutil.copytree(last, tmp_path / "alone")
    assert read_snapshot(alone).configuration == read_snapshot(run_dir).configuration
    assert np.isfinite(read_snapshot(alone).configuration["env_spec"]["max_episode_length"])


def off_policy(sampled=False):
    from garage_like.np.exploration_policies import EpsilonGreedyPolicy
    from garage_like.replay_buffer import PathBuffer
    from garage_like.sampler import FragmentWorker
    from garage_like.torch.algos import DQN
    from garage_like.torch.policies import DiscreteQFArgmaxPolicy
    from garage_like.torch.q_functions import DiscreteMLPQFunction

    env = GymEnv("CartPole-v1", max_episode_length=20)
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=(4,))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    exploration = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=100)
    own = {"worker_class": FragmentWorker, "worker_args": {"n_envs": 2}}
    sampler = LocalSampler(exploration, env, **own) if sampled else None
    buffer = PathBuffer(capacity_in_transitions=200, env_spec=env.spec)
    options = {"exploration_policy": exploration, "num_evaluation_episodes": 0}
    return DQN(env.spec, policy, qf, buffer, sampler, min_buffer_size=10, **options), env


def test_a_sampler_that_the_first_epoch_makes_is_no_other_configuration(tmp_path):
    train(tmp_path, *off_policy())
    assert read_snapshot(tmp_path).configuration["algo"]["sampler"] is None
    restore(tmp_path, *off_policy())
    with pytest.raises(SnapshotMismatchError, match=r"algo\.sampler was null and is now"):
        restore(tmp_path, *off_policy(sampled=True))


def test_a_sampler_that_was_given_and_is_left_out_now_is_another_configuration(tmp_path):
    train(tmp_path, *off_policy(sampled=True))
    with pytest.raises(SnapshotMismatchError, match=r'algo\.sampler was "sampler" and is now null'):
        restore(tmp_path, *off_policy())


def test_a_snapshot_that_names_the_sampler_of_the_first_epoch_is_accepted(tmp_path):
    train(tmp_path, *off_policy())
    recorded = read_snapshot(tmp_path).configuration
    assert recorded["sampler"]["worker_class"].endswith("FragmentWorker")
    expected = {**recorded, "algo": {**recorded["algo"]}}
    del expected["sampler"]
    recorded["algo"]["sampler"] = "sampler"  # as it was written once
    assert differences(recorded, expected) == []
