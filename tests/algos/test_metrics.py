"""Every algorithm says in METRICS what it logs, and logs what it says."""

import csv
import inspect
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "exact_resume"))
import experiments
import meta_experiments
import off_policy_experiments

import garage_like
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs
from garage_like.logging.glossary import COMMON_METRICS, OCCASIONAL_METRICS, group_of, grouped
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer

OFF_POLICY = (
    "dqn",
    "ddqn",
    "discrete_sac",
    "ddpg",
    "td3",
    "sac",
    "sac_fixed",
    "tqc",
    "mtsac",
    "q_learning",
    "sarsa",
)
HOUSE = Path(garage_like.__file__).parent
SILENT = {"bc_record"}  # takes no env step, so there is nothing to say of rewards
META = ("maml_trpo", "pearl")
CASES = [
    "vpg",
    "a2c",
    "ppo",
    "trpo",
    *META,
    "cem",
    "cma_es",
    *OFF_POLICY,
    "bc_record",
    "bc_expert",
]


def build(name, env_id="Pendulum-v1"):
    if name in ("cem", "cma_es"):
        return experiments.build(name, "CartPole-v1", "default")
    if name in ("vpg", "a2c", "ppo", "trpo"):
        return experiments.build(name, env_id, "default")
    if name in META:
        return meta_experiments.build(name.replace("_", "").upper(), "point")
    return off_policy_experiments.build(name, "uniform")


def columns_of_two_epochs(directory, algo, env):
    config = SnapshotConfig(snapshot_dir=directory, snapshot_mode="none")
    with RunLogs(directory, existing=False, console=False):
        trainer = Trainer(config)
        trainer.setup(algo, env)
        trainer.train(2, batch_size=45)
    with (directory / "progress.csv").open(newline="") as file:
        return next(csv.reader(file))


def named(algo, metrics):
    names = {"<algorithm>": type(algo).__name__}
    if hasattr(algo, "_value_function"):
        names["<value function>"] = type(algo._value_function).__name__
    for placeholder, name in names.items():
        metrics = {key.replace(placeholder, name): text for key, text in metrics.items()}
    return metrics


@pytest.mark.parametrize("name", CASES)
def test_k04_columns_contain_the_algorithms_metrics_and_no_other(name, tmp_path):
    algo, env = build(name)
    columns = columns_of_two_epochs(tmp_path, algo, env)
    declared = named(algo, algo.METRICS)
    assert [key for key in declared if key not in columns] == []
    allowed = declared | named(algo, getattr(algo, "OPTIONAL_METRICS", {}))
    allowed |= COMMON_METRICS | OCCASIONAL_METRICS
    assert [column for column in columns if column not in allowed] == []
    if name not in SILENT:
        assert [key for key in COMMON_METRICS if key not in columns] == []


def test_k04_standard_deviation_and_learning_rates_are_logged_where_there_are_any(tmp_path):
    optional = {"policy/StandardDeviation", "Learning/PolicyLearningRate"}
    for name, env_id, wanted in (
        ("ppo", "Pendulum-v1", optional),
        ("ppo", "CartPole-v1", {"Learning/PolicyLearningRate"}),
        ("trpo", "Pendulum-v1", {"policy/StandardDeviation"}),
    ):
        columns = columns_of_two_epochs(tmp_path / f"{name} {env_id}", *build(name, env_id))
        assert optional & set(columns) == wanted
        assert "Learning/ValueLearningRate" in columns


def algorithms(package):
    """Import every algorithm that a package exports."""
    module = pytest.importorskip(package)
    classes = filter(inspect.isclass, (getattr(module, name) for name in module.__all__))
    return [value for value in classes if issubclass(value, RLAlgorithm)]


# Names alone, so that collecting the tests imports no framework for it.
PACKAGES = sorted(
    f"garage_like.{found.parts[-3]}.algos" for found in HOUSE.glob("*/algos/__init__.py")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_algorithm_describes_its_metrics(package):
    found = algorithms(package)
    assert found
    for algorithm in found:
        described = {**algorithm.METRICS, **getattr(algorithm, "OPTIONAL_METRICS", {})}
        assert described, algorithm
        assert all(text.endswith(".") for text in described.values()), algorithm
        assert not set(described) & set(COMMON_METRICS), algorithm


def test_s09_columns_are_grouped_by_train_evaluation_and_misc():
    row = {
        "policy/Entropy": 1,
        "Evaluation/AverageReturn": 2,
        "TotalEnvSteps": 3,
        "EpochTime": 4,
        "Reward/Total reward (max)": 5,
        "Snapshot/Failures": 6,
        "Evaluation/MyOwn": 7,
        "Anything": 8,
    }
    assert grouped(row) == {
        "train": {"policy/Entropy": 1, "Reward/Total reward (max)": 5, "Anything": 8},
        "evaluation": {"Evaluation/AverageReturn": 2, "Evaluation/MyOwn": 7},
        "misc": {"TotalEnvSteps": 3, "EpochTime": 4, "Snapshot/Failures": 6},
    }
    assert group_of("ReplayBuffer/Size") == "train"


def test_k04_every_column_that_skrl_logs_has_a_counterpart_that_some_algorithm_declares():
    page = (Path(__file__).parents[2] / "docs" / "logging.md").read_text("utf-8")
    table = page.partition("| skrl | here |\n|---|---|\n")[2].splitlines()
    here = {
        name for row in table for name in re.findall(r"`([^`]+)`", row.split("|")[2]) if "/" in name
    }
    declared = set(COMMON_METRICS)
    for algorithm in [algorithm for package in PACKAGES for algorithm in algorithms(package)]:
        declared |= {*algorithm.METRICS, *getattr(algorithm, "OPTIONAL_METRICS", {})}
    assert len(here) > 20
    assert here - declared == set()


GARAGE_EVALUATION = (
    "AverageDiscountedReturn AverageReturn StdReturn MaxReturn MinReturn NumEpisodes"
    " TerminationRate Iteration"
)


def test_g07_columns_contain_the_keys_that_garage_logs(tmp_path):
    from garage_like.np.baselines import LinearFeatureBaseline
    from garage_like.torch.algos import PPO

    ppo, env = build("ppo")
    baseline = LinearFeatureBaseline(env.spec)
    columns = columns_of_two_epochs(tmp_path, PPO(env.spec, ppo.policy, baseline, ppo.sampler), env)
    wanted = {f"Evaluation/{name}" for name in GARAGE_EVALUATION.split()}
    wanted |= {"Extras/EpisodeRewardMean", "LinearFeatureBaseline/ExplainedVariance"}
    wanted |= {"TotalEnvSteps", "EnvExecTime", "PolicyExecTime", "ProcessExecTime"}
    policy = "Entropy KL KLBefore LossAfter LossBefore Perplexity dLoss"
    wanted |= {f"policy/{name}" for name in policy.split()}
    assert wanted - set(columns) == set()
