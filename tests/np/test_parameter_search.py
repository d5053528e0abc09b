import types

import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.envs import GymEnv
from garage_like.logging import tabular
from garage_like.np.algos import CEM, CMAES
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.torch.policies import CategoricalMLPPolicy as TorchPolicy
from garage_like.trainer import Trainer

TARGET = np.array([0.5, -1.0, 2.0, 0.0])


def make(algorithm, discrete_spec, **options):
    policy = CategoricalMLPPolicy(discrete_spec, hidden_sizes=())
    return algorithm(discrete_spec, policy, None, n_samples=20, **options)


def nearness(candidates):
    return -((candidates[:, : len(TARGET)] - TARGET) ** 2).sum(axis=1)


def search(algo, epochs):
    for _ in range(epochs):
        candidates = algo._candidates()
        algo._learn(candidates, nearness(candidates))
    return algo._mean()


CEM_OPTIONS = {"best_frac": 0.25, "extra_std": 0.1, "extra_decay_time": 20}


@pytest.mark.parametrize(("algorithm", "options"), [(CEM, CEM_OPTIONS), (CMAES, {})])
def test_search_finds_the_best_parameters(discrete_spec, algorithm, options):
    mean = search(make(algorithm, discrete_spec, **options), 80)
    assert nearness(mean[None])[0] > -0.05


@pytest.mark.parametrize(("algorithm", "options"), [(CEM, CEM_OPTIONS), (CMAES, {})])
def test_a_pickled_search_goes_on_the_same(discrete_spec, algorithm, options):
    algo = make(algorithm, discrete_spec, **options)
    search(algo, 7)
    twin = cloudpickle.loads(cloudpickle.dumps(algo))
    assert_array_equal(search(twin, 40), search(algo, 40))


@pytest.mark.parametrize("algorithm", [CEM, CMAES])
def test_search_leaves_global_random_numbers_alone(discrete_spec, algorithm):
    before = np.random.get_state()[1].copy()
    search(make(algorithm, discrete_spec, **(CEM_OPTIONS if algorithm is CEM else {})), 3)
    assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("algorithm", [CEM, CMAES])
def test_returns_that_are_all_alike_do_no_harm(discrete_spec, algorithm):
    algo = make(algorithm, discrete_spec, **(CEM_OPTIONS if algorithm is CEM else {}))
    for _ in range(30):
        algo._learn(algo._candidates(), np.full(20, 500.0))
    assert np.isfinite(algo._candidates()).all()


def test_cma_es_reads_and_writes_no_files(discrete_spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search(make(CMAES, discrete_spec), 3)
    assert list(tmp_path.iterdir()) == []


def test_cem_fits_its_distribution_to_the_best(discrete_spec):
    algo = make(CEM, discrete_spec, best_frac=0.1, extra_std=3.0, extra_decay_time=2)
    candidates = np.zeros((20, 16))
    candidates[4], candidates[7], candidates[9] = 1.0, 3.0, 100.0
    returns = np.zeros(20)
    returns[[4, 7]] = 1.0
    metrics = algo._learn(candidates, returns)
    assert_array_equal(algo._mean(), np.full(16, 2.0))
    # Deviation 1 of the two best, and half of the extra variance is left: sqrt(1 + 9 / 2).
    assert metrics["MeanStd"] == pytest.approx(np.sqrt(5.5))


def train(tmp_path, algorithm, policy_class, **options):
    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = policy_class(env.spec, hidden_sizes=(4,))
    algo = algorithm(env.spec, policy, LocalSampler(policy, env), n_samples=4, **options)
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="none"))
    trainer.setup(algo, env)
    returned = trainer.train(n_epochs=2, batch_size=40)
    return types.SimpleNamespace(algo=algo, policy=policy, trainer=trainer, returned=returned)


@pytest.mark.parametrize("policy_class", [CategoricalMLPPolicy, TorchPolicy])
@pytest.mark.parametrize(("algorithm", "options"), [(CEM, {"best_frac": 0.5}), (CMAES, {})])
def test_every_candidate_plays_a_batch(tmp_path, algorithm, options, policy_class):
    run = train(tmp_path, algorithm, policy_class, **options)
    assert run.trainer.step_itr == 8
    assert 8 * 40 <= run.trainer.total_env_steps < 8 * 60
    assert 5.0 < run.returned <= 20.0


def test_an_epoch_leaves_the_policy_at_the_mean(tmp_path):
    run = train(tmp_path, CEM, CategoricalMLPPolicy, best_frac=0.5)
    assert_array_equal(run.policy.get_param_values(), run.algo._mean().astype(np.float32))


@pytest.mark.parametrize(("algorithm", "options"), [(CEM, {"best_frac": 0.5}), (CMAES, {})])
def test_an_epoch_records_every_key(tmp_path, monkeypatch, algorithm, options):
    rows = []
    record = tabular.record

    def keep(key, value):
        rows.append(tabular._prefix_str + key)
        record(key, value)

    monkeypatch.setattr(tabular, "record", keep)
    run = train(tmp_path, algorithm, CategoricalMLPPolicy, **options)
    names = {key.replace("<algorithm>", algorithm.__name__) for key in run.algo.METRICS}
    assert names | {"Evaluation/AverageReturn"} <= set(rows)


@pytest.mark.parametrize(
    ("algorithm", "options", "message"),
    [
        (CEM, {"n_samples": 1}, "n_samples must be at least 2, got 1"),
        (CEM, {"discount": 2.0}, r"discount must be in \[0, 1\], got 2.0"),
        (CEM, {"init_std": 0.0}, "init_std must be positive, got 0.0"),
        (CEM, {"extra_std": -1.0}, "extra_std must not be negative, got -1.0"),
        (CEM, {"extra_decay_time": 0}, "extra_decay_time must be at least 1, got 0"),
        (CEM, {"best_frac": 0.01}, "at least one of n_samples=20 candidates, got 0.01"),
        (CMAES, {"sigma0": -1.0}, "sigma0 must be positive, got -1.0"),
    ],
)
def test_bad_options_are_refused(discrete_spec, algorithm, options, message):
    policy = CategoricalMLPPolicy(discrete_spec)
    with pytest.raises(ValueError, match=message):
        algorithm(discrete_spec, policy, None, **{"n_samples": 20, **options})


class NestedParams:
    def get_param_values(self):
        return {"weight": np.zeros(3)}


@pytest.mark.parametrize("algorithm", [CEM, CMAES])
def test_parameters_that_are_no_vector_are_refused(discrete_spec, algorithm):
    with pytest.raises(ValueError, match="must return one vector, got <class 'dict'>"):
        algorithm(discrete_spec, NestedParams(), None, n_samples=20)
