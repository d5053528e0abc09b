"""A run goes on with other settings: its weights and counters stay, and it says what changed."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from garage_like import Trainer, wrap_experiment
from garage_like.cli import main
from garage_like.envs import GymEnv
from garage_like.errors import NotSetupError, SnapshotMismatchError
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import FragmentWorker, LocalSampler, VecWorker
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.torch.algos import DQN, PPO
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, DiscreteQFArgmaxPolicy
from garage_like.torch.q_functions import DiscreteMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction


def ppo(n_envs=2, discount=0.99, lr=1e-3, hidden=8, **options):
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(hidden,))
    values = GaussianMLPValueFunction(env.spec, hidden_sizes=(8,))
    sampler = LocalSampler(policy, env, worker_class=VecWorker, worker_args={"n_envs": n_envs})
    optimizer = OptimizerWrapper((torch.optim.Adam, {"lr": lr}), policy)
    algo = PPO(
        env.spec, policy, values, sampler, discount=discount, policy_optimizer=optimizer, **options
    )
    return algo, env


def dqn(capacity=300, qf_lr=1e-3, buffer=PathBuffer, n_envs=None, **options):
    env = GymEnv("CartPole-v1")
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=(8,))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    sampler = None
    if n_envs is not None:
        args = {"n_envs": n_envs}
        sampler = LocalSampler(policy, env, worker_class=FragmentWorker, worker_args=args)
    algo = DQN(
        env.spec,
        policy,
        qf,
        buffer(capacity, env.spec),
        sampler,
        exploration_policy=EpsilonGreedyPolicy(env.spec, policy, total_timesteps=500),
        min_buffer_size=50,
        qf_lr=qf_lr,
        num_evaluation_episodes=1,
        **options,
    )
    return algo, env


def train(directory: Path, parts, n_epochs=2) -> Trainer:
    set_seed(1)
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all"))
    trainer.setup(*parts)
    trainer.train(n_epochs, batch_size=100)
    return trainer


def go_on(directory: Path, parts, new: Path, **options) -> Trainer:
    trainer = Trainer(SnapshotConfig(snapshot_dir=new, snapshot_mode="all"))
    trainer.setup(*parts)
    trainer.restore(directory, config_policy="update", **options)
    trainer.resume(additional_epochs=2)
    return trainer


def weights(algo) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().copy() for name, value in algo.policy.named_parameters()}


def test_environments_discount_and_rate_change_and_all_else_goes_on(tmp_path: Path) -> None:
    first = train(tmp_path / "run", ppo())
    steps, before = first.total_env_steps, weights(first.algo)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new", snapshot_mode="all"))
    algo, env = ppo(8, 0.9, 1e-4)
    trainer.setup(algo, env)
    trainer.restore(tmp_path / "run", config_policy="update")
    assert trainer.algo is algo
    assert all(np.array_equal(value, before[name]) for name, value in weights(algo).items())
    trainer.resume(additional_epochs=2)
    inner = algo._policy_optimizer.optimizer
    assert (algo.discount, inner.param_groups[0]["lr"]) == (0.9, 1e-4)
    assert len(algo.sampler.envs) == 8
    assert trainer.total_env_steps > steps
    moments = next(iter(inner.state.values()))
    assert int(moments["step"]) > 2
    found = read_snapshot(tmp_path / "new").manifest
    assert found.epoch == 3
    assert found.configuration["algo"]["discount"] == 0.9
    assert found.configuration["sampler"]["worker_args"] == {"n_envs": 8}
    assert {change["name"]: change["epoch"] for change in found.changes} == {
        "algo.discount": 2,
        "sampler.worker_args": 2,
        "policy_optimizer.optimizer": 2,
    }
    assert not found.exact
    assert "algo.discount was changed before epoch 2" in found.reasons
    assert read_snapshot(tmp_path / "run").manifest.exact


def test_a_warning_goes_on_with_what_can_be_changed(tmp_path: Path) -> None:
    first = train(tmp_path / "run", ppo())
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new", snapshot_mode="all"))
    algo, env = ppo(8, 0.9, hidden=16)
    trainer.setup(algo, env)
    with pytest.warns(UserWarning, match="the run goes on otherwise: .*algo.discount was 0.99"):
        trainer.restore(tmp_path / "run", config_policy="warn")
    trainer.resume(additional_epochs=1)
    assert trainer.total_env_steps > first.total_env_steps
    assert (algo.discount, len(algo.sampler.envs)) == (0.9, 8)
    found = read_snapshot(tmp_path / "new").manifest
    assert found.configuration["policy"]["hidden_sizes"] == [8]
    assert {change["name"] for change in found.changes} == {"algo.discount", "sampler.worker_args"}
    assert not found.exact


def test_what_equals_changes_nothing(tmp_path: Path) -> None:
    train(tmp_path / "run", ppo())
    trainer = go_on(tmp_path / "run", ppo(), tmp_path / "new", require_exact=True)
    assert trainer.algo.discount == 0.99
    found = read_snapshot(tmp_path / "new").manifest
    assert (found.changes, found.exact) == ([], True)


def test_a_resume_after_a_change_keeps_it_and_needs_no_policy(tmp_path: Path, capsys) -> None:
    train(tmp_path / "run", ppo())
    go_on(tmp_path / "run", ppo(discount=0.9), tmp_path / "new")
    assert "From epoch #2 on algo.discount is 0.9; it was 0.99" in capsys.readouterr().out
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new", snapshot_mode="all"))
    again.setup(*ppo(discount=0.9))
    again.restore(tmp_path / "new")
    assert "The resume is numerical" in capsys.readouterr().out
    again.resume(additional_epochs=1)
    changes = read_snapshot(tmp_path / "new").manifest.changes
    assert [change["epoch"] for change in changes] == [2]


@pytest.mark.parametrize("buffer", [PathBuffer, PrioritizedReplayBuffer])
@pytest.mark.parametrize("capacity", [120, 1000])
def test_replay_memory_keeps_the_newest_transitions(
    capacity: int, buffer: type, tmp_path: Path
) -> None:
    first = train(tmp_path / "run", dqn(buffer=buffer), n_epochs=4)
    memory = first.algo.replay_buffer
    order = np.roll(np.arange(300), -memory._cursor)
    before = memory._table.take(order)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    algo, env = dqn(capacity, 1e-4, buffer)
    trainer.setup(algo, env)
    trainer.restore(tmp_path / "run", config_policy="update")
    after, kept = algo.replay_buffer, min(capacity, 300)
    assert (after.capacity, after.n_transitions_stored) == (capacity, kept)
    for name in ("observation", "reward", "step_type"):
        now = after._table.take(np.arange(kept))[name]
        assert np.array_equal(now, before[name][-kept:])
    path = after.sample_path()
    assert len(np.unique(path["segment"])) == 1
    trainer.resume(additional_epochs=2)
    assert algo._learning_rates()["Learning/CriticLearningRate"] == 1e-4
    again = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "again"))
    again.restore(tmp_path / "new")
    stored = again.algo.replay_buffer
    assert stored.n_transitions_stored == min(capacity, 500)
    assert np.array_equal(stored._table.column("reward"), after._table.column("reward"))


def test_priorities_move_with_their_transitions() -> None:
    env = GymEnv("CartPole-v1")
    memory = PrioritizedReplayBuffer(300, env.spec)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    memory.add_episode_batch(LocalSampler(policy, env).obtain_samples(0, 150))
    drawn = memory.sample_transitions(20)
    memory.update_priorities(drawn, np.arange(20) + 5.0)
    before = memory._priorities.weights[: memory.n_transitions_stored].copy()
    memory.change_arguments({"capacity_in_transitions": 100})
    assert np.array_equal(memory._priorities.weights[:100], before[-100:])


def test_environments_of_a_default_sampler_change_too(tmp_path: Path) -> None:
    train(tmp_path / "run", dqn())
    trainer = go_on(tmp_path / "run", dqn(n_envs=4), tmp_path / "new")
    assert len(trainer.algo.sampler.envs) == 4
    assert read_snapshot(tmp_path / "new").manifest.epoch == 3


def test_what_cannot_change_is_named(tmp_path: Path) -> None:
    train(tmp_path / "run", ppo())
    with pytest.raises(SnapshotMismatchError, match=r"cannot go on with other settings: .*hidden"):
        go_on(tmp_path / "run", ppo(hidden=16), tmp_path / "new")
    assert not (tmp_path / "new" / "snapshots").exists()


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"algo.discout": 1}, ValueError, "has no setting 'discout'; it has .*discount"),
        ({"nothing.lr": 1}, ValueError, "no part is called 'nothing'; there are algo"),
        ({"algo": 1}, ValueError, "has no setting"),
        ({"algo.discount": "high"}, SnapshotMismatchError, "cannot become 'high'"),
        ({"algo.policy": 1}, SnapshotMismatchError, "cannot take another policy"),
        ({"sampler.n_envs": 0}, SnapshotMismatchError, "n_envs"),
        ({"policy.hidden_sizes": [9]}, SnapshotMismatchError, "hidden_sizes"),
        ({"algo.discount": 1.5}, SnapshotMismatchError, r"PPO: discount must be in \[0, 1\]"),
        ({"algo.lr_clip_range": -1}, SnapshotMismatchError, "PPO: lr_clip_range must lie"),
        ({"policy_optimizer.lr": -1.0}, SnapshotMismatchError, "Invalid learning rate"),
        ({"policy_optimizer.minibatch_size": 0}, SnapshotMismatchError, "must be at least 1"),
        ({"sampler.n_envs": "two"}, SnapshotMismatchError, "n_envs"),
        ({"algo.discount": 0.5, "sampler.n_envs": 0}, SnapshotMismatchError, "n_envs"),
    ],
)
def test_settings_that_are_none_are_refused(settings, error, told, tmp_path: Path) -> None:
    train(tmp_path / "run", ppo())
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    with pytest.raises(NotSetupError, match="restore"):
        trainer.change(settings)
    trainer.restore(tmp_path / "run")
    before = copy.deepcopy(read_snapshot(tmp_path / "run").manifest.configuration)
    with pytest.raises(error, match=told):
        trainer.change(settings)
    trainer.resume(additional_epochs=1)  # as if nothing had been asked for
    found = read_snapshot(tmp_path / "new").manifest
    assert (found.configuration, found.changes) == (before, [])
    assert trainer.algo.discount == 0.99
    assert trainer.algo._policy_optimizer.optimizer.param_groups[0]["lr"] == 1e-3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"algo.qf_lr": "quick"}, "qf_lr"),
        ({"algo.qf_lr": -1.0}, "qf_lr must be positive"),
        ({"algo.buffer_batch_size": 0}, "DQN: buffer_batch_size must be at least 1"),
        ({"algo.clip_gradient": -2.0}, "DQN: clip_gradient must be positive"),
        ({"replay_buffer.capacity_in_transitions": 0}, "capacity"),
    ],
)
def test_constructors_of_off_policy_algorithms_are_asked(settings, told, tmp_path: Path) -> None:
    first = train(tmp_path / "run", dqn())
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    trainer.restore(tmp_path / "run")
    drawn = np.random.get_state()[2]
    with pytest.raises(SnapshotMismatchError, match=told):
        trainer.change(settings)
    assert np.random.get_state()[2] == drawn
    stored = trainer.algo.replay_buffer.n_transitions_stored
    assert stored == first.algo.replay_buffer.n_transitions_stored


def test_what_is_changed_by_hand_is_noted(tmp_path: Path) -> None:
    train(tmp_path / "run", ppo())
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "new"))
    trainer.restore(tmp_path / "run")
    vars(trainer.algo)["_discount"] = 0.5
    trainer.resume(additional_epochs=1)
    found = read_snapshot(tmp_path / "new").manifest
    assert found.configuration["algo"]["discount"] == 0.5
    assert found.changes == [{"epoch": 2, "name": "algo.discount", "was": 0.99, "now": 0.5}]


def call(*words: object) -> str:
    result = CliRunner(env={"COLUMNS": "120"}).invoke(main, [str(word) for word in words])
    assert result.exit_code in (0, 1), result.output
    return result.output


def test_the_command_changes_settings_and_the_others_show_them(tmp_path: Path) -> None:
    train(tmp_path / "run", ppo())
    words = ["--set", "algo.discount=0.98", "--set", "policy_optimizer.lr=5e-4"]
    words += ["--set", "sampler.n_envs=3", "--additional-epochs", 1]
    said = call("resume", tmp_path / "run", "--log-dir", tmp_path / "new", *words)
    assert "From epoch #2 on algo.discount is 0.98; it was 0.99" in said
    found = read_snapshot(tmp_path / "new").manifest
    assert [(change["name"], change["now"]) for change in found.changes] == [
        ("algo.discount", 0.98),
        ("policy_optimizer.optimizer.1.lr", 5e-4),
        ("sampler.n_envs", 3),
    ]
    shown = call("show", tmp_path / "new")
    assert "Changed since it began" in shown
    assert "0.99, 0.98 from epoch 2" in shown
    assert "not exact: algo.discount was changed before epoch 2" in shown
    assert "algo.discount 0.98 from epoch 2" in call("tree", tmp_path)
    branch = json.loads(call("branch", tmp_path / "new", tmp_path / "left", "--json"))
    call("resume", branch["run"], "--additional-epochs", 1, "--set", "algo.discount=0.5")
    call("resume", tmp_path / "new", "--additional-epochs", 1)
    told = call("diff", tmp_path / "new", branch["run"])
    assert "Changed since they began" in told
    assert "0.5 from epoch 3" in told


@pytest.mark.parametrize("text", ["discount", "=1", ""])
def test_the_command_says_how_a_setting_is_written(text: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["resume", str(tmp_path), "--set", text])
    assert result.exit_code == 2
    assert "expected NAME=VALUE" in result.output


def test_the_same_command_goes_on_with_other_parameters(tmp_path: Path) -> None:
    @wrap_experiment(
        log_dir=tmp_path / "run",
        auto_resume=True,
        config_policy="update",
        archive_launch_repo=False,
        console=False,
    )
    def experiment(ctxt, *, discount: float, n_epochs: int) -> float:
        set_seed(1)
        trainer = Trainer(ctxt)
        trainer.setup(*ppo(discount=discount))
        trainer.train(n_epochs, batch_size=100)
        return trainer.algo.discount

    assert experiment(discount=0.99, n_epochs=2) == 0.99
    assert experiment(discount=0.9, n_epochs=3) == 0.9
    assert json.loads((tmp_path / "run" / "variant.json").read_text())["discount"] == 0.9
    assert (tmp_path / "run" / "variant.json.orphan-1").exists()
    found = read_snapshot(tmp_path / "run").manifest
    names = {change["name"] for change in found.changes}
    assert names == {"algo.discount", "parameters.discount", "parameters.n_epochs"}


TENSORFLOW = """
import sys
from garage_like import TFTrainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import LocalSampler
from garage_like.tf.algos import PPO
from garage_like.tf.policies import CategoricalMLPPolicy

options = {"auto_resume": True, "config_policy": "update", "console": False}


@wrap_experiment(name="tf", archive_launch_repo=False, **options)
def train(ctxt, *, discount):
    set_seed(1)
    with TFTrainer(snapshot_config=ctxt) as trainer:
        env = GymEnv("CartPole-v1", max_episode_length=20)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
        baseline = LinearFeatureBaseline(env.spec)
        algo = PPO(env.spec, policy, baseline, LocalSampler(policy, env), discount=discount)
        trainer.setup(algo, env)
        trainer.train(n_epochs=int(sys.argv[2]), batch_size=40)


train(discount=float(sys.argv[1]))
"""


@pytest.mark.slow
def test_runs_of_tensorflow_go_on_with_other_settings(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(TENSORFLOW)
    options = {"cwd": tmp_path, "capture_output": True, "text": True}
    for words in (["0.99", "2"], ["0.9", "3"]):
        done = subprocess.run([sys.executable, "script.py", *words], **options)
        assert done.returncode == 0, done.stderr
    run = tmp_path / "data/local/experiment/tf"
    assert read_snapshot(run).manifest.configuration["algo"]["discount"] == 0.9
    resume = [sys.executable, "-m", "garage_like", "resume", run, "--additional-epochs", "1"]
    for setting, told in (
        ("algo.discount=1.5", "PPO: discount must be in [0, 1], got 1.5"),
        ("policy_optimizer.lr=-1", "lr"),
        ("policy_optimizer.minibatch_size=0", "minibatch_size must be at least 1"),
    ):
        done = subprocess.run([*resume, "--set", setting], **options)
        assert (done.returncode != 0, told in done.stderr) == (True, True), done.stderr
        assert "Traceback" not in done.stderr
    assert read_snapshot(run).manifest.epoch == 2
    words = ["--set", "algo.discount=0.8", "--set", "policy_optimizer.lr=0.5"]
    done = subprocess.run([*resume, *words], **options)
    assert done.returncode == 0, done.stderr
    found = read_snapshot(run).manifest
    assert found.epoch == 3
    assert found.configuration["algo"]["discount"] == 0.8
    assert [change["name"].partition(".")[0] for change in found.changes[-2:]] == [
        "algo",
        "policy_optimizer",
    ]
    assert not found.exact
