import cloudpickle
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.torch.algos import PPO, TRPO, VPG
from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

ALGORITHMS = [VPG, PPO, TRPO]


@pytest.fixture(params=["discrete", "continuous"])
def spec(request, discrete_spec, continuous_spec):
    return discrete_spec if request.param == "discrete" else continuous_spec


@pytest.fixture(params=[GaussianMLPValueFunction, LinearFeatureBaseline])
def baseline_class(request):
    return request.param


def make(algorithm, spec, baseline_class=GaussianMLPValueFunction, **options):
    policy_class = CategoricalMLPPolicy if spec.is_discrete else GaussianMLPPolicy
    return algorithm(spec, policy_class(spec), baseline_class(spec), None, **options)


def parameters(algo):
    values = [algo.policy.get_param_values()]
    if isinstance(algo._value_function, torch.nn.Module):
        values += [p.detach().numpy() for p in algo._value_function.parameters()]
    else:
        values.append(algo._value_function.get_param_values())
    return values


def slots(algo):
    wrappers = [algo._policy_optimizer, algo._vf_optimizer]
    states = [w.optimizer.state_dict()["state"] for w in wrappers if w is not None]
    return [slot.numpy() for s in states for each in s.values() for slot in each.values()]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pickled_algorithm_goes_on_the_same(algorithm, spec, baseline_class, make_episodes):
    algo = make(algorithm, spec, baseline_class)
    algo._train_once(0, make_episodes(spec, 70, 1, 60, seed=1))
    twin = cloudpickle.loads(cloudpickle.dumps(algo))
    for each in (algo, twin):
        each._train_once(1, make_episodes(spec, 20, 80, seed=2))
    for ours, theirs in zip(parameters(algo), parameters(twin), strict=True):
        assert_array_equal(ours, theirs)
    for ours, theirs in zip(slots(algo), slots(twin), strict=True):
        assert_array_equal(ours, theirs)
    assert algo._recent_returns == twin._recent_returns


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_update_moves_the_policy_and_the_baseline(
    algorithm, spec, baseline_class, make_episodes, row
):
    algo = make(algorithm, spec, baseline_class)
    before = [value.copy() for value in parameters(algo)]
    algo._train_once(0, make_episodes(spec, 70, 1, 60))
    assert all(not np.array_equal(*pair) for pair in zip(before, parameters(algo), strict=True))
    recorded = row()
    assert recorded["policy/dLoss"] > 0.0
    assert recorded["policy/KL"] > 0.0
    assert {
        key.replace("<value function>", baseline_class.__name__) for key in algo.METRICS
    } <= recorded.keys()


@pytest.mark.parametrize("batch_seed", [1, 2, 3])
def test_trpo_stays_within_its_region(spec, make_episodes, row, batch_seed):
    make(TRPO, spec)._train_once(0, make_episodes(spec, 100, seed=batch_seed))
    assert 0.001 < row()["policy/KL"] <= 0.01 + 1e-6


def test_metrics_are_those_of_the_policy_before_and_after(discrete_spec, make_episodes, row):
    episodes = make_episodes(discrete_spec, 40, 40)
    algo = make(VPG, discrete_spec, center_adv=False)
    values, last_values = algo._value_function.predict(episodes)
    advantages = algo._learning_batch(episodes, values, last_values).advantages

    def evaluate():
        with torch.no_grad():
            logits = algo.policy.mlp(torch.from_numpy(episodes.observations)).numpy().astype(float)
        every = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        chosen = every[np.arange(80), episodes.actions]
        return every, -np.mean(np.log(chosen) * advantages)

    old, loss_before = evaluate()
    algo._train_once(0, episodes)
    new, loss_after = evaluate()
    recorded = row()
    entropy = -(new * np.log(new)).sum(axis=1).mean()
    expected = {
        "LossBefore": loss_before,
        "LossAfter": loss_after,
        "dLoss": loss_before - loss_after,
        "KL": (old * np.log(old / new)).sum(axis=1).mean(),
        "Entropy": entropy,
        "Perplexity": np.exp(entropy),
    }
    found = {key: recorded[f"policy/{key}"] for key in expected}
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.usefixtures("row")
def test_an_update_draws_nothing_from_global_generators(discrete_spec, make_episodes):
    algo = make(PPO, discrete_spec)
    torchs, numpys = torch.get_rng_state(), np.random.get_state()[1].copy()
    algo._train_once(0, make_episodes(discrete_spec, 130))
    assert torch.equal(torchs, torch.get_rng_state())
    assert_array_equal(numpys, np.random.get_state()[1])


def test_a_baseline_that_fits_itself_takes_no_optimizer(discrete_spec):
    wrapper = OptimizerWrapper(torch.optim.Adam, torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="LinearFeatureBaseline fits itself; leave vf_optimizer"):
        make(PPO, discrete_spec, LinearFeatureBaseline, vf_optimizer=wrapper)
