"""What is called after each epoch: it stops, evaluates, logs and saves, and resumes exactly."""

import csv
import os

import numpy as np
import pytest

from garage_like import Trainer, wrap_experiment
from garage_like.callbacks import (
    Callback,
    EvalCallback,
    SaveCallback,
    StopTrainingOnNoModelImprovement,
    StopTrainingOnRewardThreshold,
)
from garage_like.envs import GymEnv
from garage_like.errors import SnapshotMismatchError
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig, list_snapshots, read_snapshot
from garage_like.snapshot.disk.pins import is_pinned


class DiedError(Exception):
    """Stands for a kill: nothing is flushed by it that a snapshot does not hold."""


class Returns(RLAlgorithm):
    """Get returns that were told beforehand."""

    def __init__(self, returns):
        self.returns = list(returns)
        self.weight = np.zeros(1)

    def train_epoch(self, trainer):
        if os.environ.get("DIES_AT") == str(trainer.step_itr):
            raise DiedError
        self.weight = self.weight + np.random.rand()
        tabular.record("Evaluation/AverageReturn", self.returns[trainer.step_itr])
        trainer.step_itr += 1


def trained(run_dir, returns, callbacks, n_epochs=None, **options):
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, **options))
    trainer.setup(Returns(returns), None, callbacks=callbacks)
    trainer.train(n_epochs or len(returns))
    return rows(run_dir)


def rows(run_dir):
    with open(run_dir / "progress.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_training_ends_with_the_epoch_that_reaches_the_threshold(tmp_path):
    found = trained(tmp_path, [1, 5, 9, 10], [StopTrainingOnRewardThreshold(9)])
    assert len(found) == 3
    assert list_snapshots(tmp_path)[-1].name == "epoch_000002"
    said = (tmp_path / "debug.log").read_text()
    assert "StopTrainingOnRewardThreshold ends training with epoch #2" in said


def test_nan_reaches_no_threshold(tmp_path):
    assert len(trained(tmp_path, [1, float("nan"), 2], [StopTrainingOnRewardThreshold(5)])) == 3


@pytest.mark.parametrize(("patience", "least", "epochs"), [(1, 0, 4), (0, 0, 3), (1, 4, 6)])
def test_training_ends_where_nothing_becomes_better(tmp_path, patience, least, epochs):
    stop = StopTrainingOnNoModelImprovement(patience, least)
    assert len(trained(tmp_path, [1, 2, 2, 1, 1, 1, 1, 1], [stop])) == epochs


def test_functions_see_the_row_and_add_to_it(tmp_path):
    def twice(ended):
        ended.log("Twice", 2 * ended.number("Evaluation/AverageReturn"))

    def at_most_six(ended):
        return ended.row["Twice"] < 6

    found = trained(tmp_path, [1, 2, 3, 4], [twice, at_most_six])
    assert [row["Twice"] for row in found] == ["2.0", "4.0", "6.0"]


def test_a_snapshot_on_a_condition_is_kept(tmp_path):
    save = SaveCallback(lambda ended: ended.epoch in (1, 3))
    trained(tmp_path, range(8), [save], snapshot_mode="gap", snapshot_gap=100)
    found = {path.name: is_pinned(path) for path in list_snapshots(tmp_path)}
    assert found["epoch_000001"]
    assert found["epoch_000003"]
    assert not found["epoch_000007"]
    assert "epoch_000002" not in found


def staged(run_dir, callbacks):
    @wrap_experiment(log_dir=run_dir, auto_resume=True, snapshot_mode="all", console=False)
    def experiment(ctxt):
        np.random.seed(1)
        trainer = Trainer(ctxt)
        trainer.setup(Returns([1, 2, 2, 2, 2, 2, 2]), None, callbacks=callbacks())
        trainer.train(7)

    experiment()


class Walker(Callback):
    """Draw from training's own generator: what it does must be resumed, too."""

    def __init__(self, scale):
        self.scale = scale
        self.place = 0.0

    def on_epoch_end(self, ended):
        self.place += self.scale * np.random.rand()
        ended.algo.weight = ended.algo.weight + self.place
        ended.log("Place", self.place)


def walking():
    return [Walker(2.0), Walker(3.0), StopTrainingOnNoModelImprovement(2)]


@pytest.mark.parametrize("dies_at", [1, 3, 4])
def test_state_of_callbacks_resumes_exactly(tmp_path, monkeypatch, dies_at):
    monkeypatch.setenv("DIES_AT", str(dies_at))
    with pytest.raises(DiedError):
        staged(tmp_path / "run", walking)
    monkeypatch.delenv("DIES_AT")
    staged(tmp_path / "run", walking)
    staged(tmp_path / "whole", walking)
    ours, whole = rows(tmp_path / "run"), rows(tmp_path / "whole")
    assert len(whole) == 5
    assert [row["Place"] for row in ours] == [row["Place"] for row in whole]
    one, other = (
        read_snapshot(list_snapshots(tmp_path / name)[-1]).tensors("algo")["weight"]
        for name in ("run", "whole")
    )
    assert one == other


def test_a_run_that_was_ended_stays_ended_when_its_script_is_started_again(tmp_path):
    staged(tmp_path / "run", walking)
    staged(tmp_path / "run", walking)
    assert len(rows(tmp_path / "run")) == 5
    said = (tmp_path / "run" / "debug.log").read_text()
    assert "Nothing is left to do: StopTrainingOnNoModelImprovement ended training" in said


def test_other_arguments_than_those_of_the_snapshot_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DIES_AT", "2")
    with pytest.raises(DiedError):
        staged(tmp_path / "run", walking)
    monkeypatch.delenv("DIES_AT")
    with pytest.raises(SnapshotMismatchError, match=r"Walker.scale was 2.0 and is now 4.0"):
        staged(tmp_path / "run", lambda: [Walker(4.0), Walker(3.0)])


def test_a_function_that_is_called_as_a_part_takes_no_part_away(tmp_path):
    def algo(ended):
        ended.log("Seen", 1)

    cart_pole(tmp_path / "named", [algo])
    cart_pole(tmp_path / "plain", [])
    named, plain = (
        read_snapshot(list_snapshots(tmp_path / name)[-1]).manifest.configuration
        for name in ("named", "plain")
    )
    assert named["algo"] == plain["algo"]


def test_without_its_script_callbacks_go_on_and_functions_are_missed(tmp_path, capsys):
    def noted(ended):
        ended.log("Noted", 1)

    config = {"snapshot_mode": "all"}
    trained(tmp_path, range(9), [noted, StopTrainingOnRewardThreshold(6)], 3, **config)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path, **config))
    trainer.restore(tmp_path)
    trainer.resume(9)
    found = rows(tmp_path)
    assert [row["Noted"] for row in found] == ["1", "1", "1", "", "", "", ""]
    assert "the function noted was called after each epoch" in capsys.readouterr().out
    manifest = read_snapshot(list_snapshots(tmp_path)[-1]).manifest
    assert manifest.reasons == ["the function noted was called after each epoch, and is not now"]


@pytest.mark.parametrize("wrong", [[3], [Callback], Walker(1.0)])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match="callbacks must be"):
        Trainer().setup(Returns([]), None, callbacks=wrong)


def cart_pole(run_dir, callbacks, **options):
    np.random.seed(1)
    env = GymEnv("CartPole-v1", max_episode_length=30)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    sampler = LocalSampler(policy, env, seed=3)
    algo = CEM(env.spec, policy, sampler, n_samples=3, best_frac=0.5)
    trainer = Trainer(SnapshotConfig(snapshot_dir=run_dir, snapshot_mode="all", **options))
    trainer.setup(algo, env, callbacks=callbacks)
    trainer.train(4, batch_size=60)
    return rows(run_dir)


@pytest.mark.parametrize("deterministic", [True, False])
def test_evaluating_elsewhere_changes_nothing_of_training(tmp_path, deterministic):
    elsewhere = EvalCallback(
        GymEnv("CartPole-v1", max_episode_length=20),
        n_eval_episodes=2,
        eval_freq=2,
        deterministic=deterministic,
    )
    watched = cart_pole(tmp_path / "watched", [elsewhere])
    plain = cart_pole(tmp_path / "plain", [])
    assert [row["Eval/NumEpisodes"] for row in watched] == ["", "2", "", "2"]
    assert elsewhere.best_mean_reward >= elsewhere.last_mean_reward > 0
    same = [key for key in plain[0] if "Time" not in key]
    assert [[row[key] for key in same] for row in watched] == [
        [row[key] for key in same] for row in plain
    ]


def dies(ended):
    if os.environ.get("DIES_AT") == str(ended.epoch):
        raise DiedError


def test_evaluating_elsewhere_resumes_exactly(tmp_path, monkeypatch):
    def callbacks():
        env = GymEnv("CartPole-v1", max_episode_length=20)
        return [EvalCallback(env, n_eval_episodes=2, deterministic=False), dies]

    monkeypatch.setenv("DIES_AT", "2")
    with pytest.raises(DiedError):
        cart_pole(tmp_path / "run", callbacks())
    monkeypatch.delenv("DIES_AT")
    ours = cart_pole(tmp_path / "run", callbacks(), auto_resume=True)
    whole = cart_pole(tmp_path / "whole", callbacks())
    same = [key for key in whole[0] if "Time" not in key]
    assert [[row[key] for key in same] for row in ours] == [
        [row[key] for key in same] for row in whole
    ]
    assert read_snapshot(list_snapshots(tmp_path / "run")[-1]).manifest.exact
