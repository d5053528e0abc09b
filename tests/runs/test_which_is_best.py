"""Which snapshot is best: whoever is asked, by whatever door, the run itself has the answer."""

import json
import os
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.numpy import load_file

import garage_like
from garage_like import Trainer, wrap_experiment
from garage_like.cli import main
from garage_like.envs import GymEnv
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.snapshot import SnapshotConfig, Snapshotter, read_snapshot
from garage_like.snapshot.best_rule import BestRule
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.torch.policies import CategoricalMLPPolicy

# By the default metric epoch 1 were best; by the greatest loss, epoch 2.
LOSSES = [3.0, 4.0, 5.0, 1.0, float("nan"), 2.0]
RETURNS = [5.0, 9.0, 6.0, 7.0, 8.0, 4.0]
BEST = 3
RULE = {"best_metric": "Loss", "best_mode": "min"}


class Numbered(RLAlgorithm):
    """Have a policy of which each weight is the epoch's number."""

    def __init__(self, policy: CategoricalMLPPolicy) -> None:
        self.policy = policy

    def train(self, trainer: Trainer) -> None:
        for epoch in trainer.step_epochs():
            with torch.no_grad():
                for weight in self.policy.parameters():
                    weight.fill_(epoch)
            tabular.record("Loss", LOSSES[epoch] if epoch < len(LOSSES) else 10.0)
            tabular.record("Evaluation/AverageReturn", 6.5)
            if epoch < len(RETURNS):
                tabular.record("Evaluation/AverageReturn", RETURNS[epoch])
            trainer.step_itr += 1


def train(config: SnapshotConfig) -> None:
    env = GymEnv("CartPole-v1")
    trainer = Trainer(config)
    trainer.setup(Numbered(CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))), env)
    trainer.train(len(LOSSES), batch_size=10)


@pytest.fixture(params=["with a decorator", "with a SnapshotConfig alone"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a run whose best epoch is neither that of the default metric nor the greatest."""
    directory = tmp_path / "run"
    if request.param == "with a SnapshotConfig alone":
        train(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all", **RULE))
        assert not (directory / "experiment.json").exists()
        return directory

    @wrap_experiment(
        log_dir=directory, snapshot_mode="all", archive_launch_repo=False, console=False, **RULE
    )
    def experiment(ctxt) -> None:
        train(ctxt)

    experiment()
    return directory


def number_of(algo) -> float:
    policy = getattr(algo, "policy", algo)
    return float(next(iter(policy.parameters())).detach().flatten()[0])


def call(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def restored(run: Path) -> float:
    trainer = Trainer(SnapshotConfig(snapshot_dir=run.with_name("of another")))
    trainer.restore(run, "best")
    return number_of(trainer.algo)


def loaded_weights(run: Path) -> float:
    policy = CategoricalMLPPolicy(GymEnv("CartPole-v1").spec, hidden_sizes=(4,))
    garage_like.load_weights(policy, run, "best")
    return number_of(policy)


def exported(run: Path) -> float:
    out = run.with_name("policy.safetensors")
    call("export", run, out, "--epoch", "best")
    return float(next(iter(load_file(out).values())).flatten()[0])


def exported_program(run: Path) -> float:
    out = run.with_name("policy.pt")
    call("export", run, out, "--epoch", "best", "--format", "torchscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own: TorchScript is deprecated
        values = list(torch.jit.load(out).state_dict().values())
    return float(values[0].flatten()[0])


def pushed(run: Path) -> int:
    sent = json.loads(call("hub", "push", run, "a/b", "--epoch", "best", "--dry-run", "--json"))
    return int(sent["snapshot"][-6:])


def pinned(run: Path) -> int:
    call("pin", run, "best")
    assert (run / "snapshots" / f"epoch_{BEST:06d}" / "pinned").exists()
    call("unpin", run, "best")
    assert not list(run.rglob("pinned"))
    return BEST


def branched(run: Path) -> int:
    made = json.loads(call("branch", run, "--from-epoch", "best", "--json"))
    copy = Path(made["snapshot"])
    assert made["parent"]["epoch"] == Manifest.read(copy).epoch == int(copy.name[-6:])
    assert made["run"].endswith(f"_from_{made['parent']['epoch']}")
    assert number_of(garage_like.load_algo(copy)) == made["parent"]["epoch"]
    return made["parent"]["epoch"]


def resumed(run: Path) -> int:
    new = run.with_name("resumed")
    words = ("--from-epoch", "best", "--n-epochs", 8, "--log-dir", new)
    return json.loads(call("resume", run, *words, "--json"))["parent"]["epoch"]


def pruned(run: Path) -> int:
    stay = json.loads(call("prune", run, "--keep-best", 1, "--json"))["kept"]
    return (set(stay) - {4, 5}).pop()


DOORS = {
    "restore": restored,
    "load_algo": lambda run: number_of(garage_like.load_algo(run, "best")),
    "load_policy": lambda run: number_of(garage_like.load_policy(run, "best")),
    "load_weights": loaded_weights,
    "read_snapshot": lambda run: read_snapshot(run, "best").epoch,
    "Snapshotter.load": lambda run: number_of(Snapshotter().load(run, "best")["algo"]),
    "export": exported,
    "export as a program": exported_program,
    "hub push": pushed,
    "pin": pinned,
    "branch": branched,
    "resume": resumed,
    "prune": pruned,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_leads_to_the_same_snapshot(door: str, run: Path) -> None:
    assert DOORS[door](run) == BEST


def test_play_plays_what_resume_goes_on_with(run: Path) -> None:
    from garage_like.runs.continuation import continuation

    found = continuation(run, "best", run.with_name("nowhere"))
    assert found.snapshot.name == f"epoch_{BEST:06d}"
    assert call("play", run, "--from-epoch", "best", "--json")


def test_a_branch_of_the_last_says_which_it_begins_with_if_the_newest_is_damaged(run: Path) -> None:
    objects = run / "snapshots" / "epoch_000005" / "objects.pkl"
    os.truncate(objects, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = CliRunner().invoke(main, ["branch", str(run), "--json"])
    assert "Warning: snapshot of epoch 5 is damaged and is passed over" in result.stderr
    made = json.loads(result.stdout)
    assert made["parent"]["epoch"] == 4
    assert made["run"].endswith("run_from_4")


def test_a_rule_is_read_only_where_there_is_one() -> None:
    assert BestRule.recorded_in({"metric": "Loss", "mode": "min"}) == BestRule("Loss", "min")
    assert BestRule.recorded_in({"metric": "Loss"}) == BestRule("Loss", "max")
    for rubbish in (None, [], {}, {"metric": 5}, {"metric": "a", "mode": "up"}, {"metric": ""}):
        assert BestRule.recorded_in(rubbish) is None


def test_a_run_that_records_no_rule_is_judged_by_whoever_asks(tmp_path: Path) -> None:
    config = SnapshotConfig(snapshot_dir=tmp_path, snapshot_mode="all", async_save=False)
    snapshotter = Snapshotter(config)
    for epoch, loss in enumerate((2.0, 1.0, 3.0)):
        metrics = {"Loss": loss, "Evaluation/AverageReturn": epoch}
        path = snapshotter.save(
            {"algo": SimpleNamespace(w=np.full(9, epoch))}, Manifest(epoch=epoch, metrics=metrics)
        )
        old = {k: v for k, v in vars(Manifest.read(path)).items() if k != "judged_by"}
        (path / "manifest.json").unlink()
        (path / "manifest.json").write_bytes(Manifest(**old).to_bytes())
    assert Snapshotter().load(tmp_path, "best")["algo"].w[0] == 2
    asks = Snapshotter(SnapshotConfig(snapshot_dir=tmp_path / "other", **RULE))
    assert asks.load(tmp_path, "best")["algo"].w[0] == 1
