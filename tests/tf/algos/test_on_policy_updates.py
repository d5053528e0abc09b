import cloudpickle
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.tf.algos import PPO, TNPG, TRPO, VPG
from garage_like.tf.baselines import ContinuousMLPBaseline, GaussianMLPBaseline
from garage_like.tf.modules import Module
from garage_like.tf.optimizers import Adam, LBFGSOptimizer, OptimizerWrapper
from garage_like.tf.policies import CategoricalMLPPolicy, GaussianMLPPolicy

CASES = [
    (VPG, GaussianMLPBaseline, True),
    (PPO, GaussianMLPBaseline, False),
    (TRPO, LinearFeatureBaseline, False),
    (TNPG, ContinuousMLPBaseline, True),
]


def make(algorithm, spec, baseline_class=LinearFeatureBaseline, **options):
    policy_class = CategoricalMLPPolicy if spec.is_discrete else GaussianMLPPolicy
    return algorithm(spec, policy_class(spec), baseline_class(spec), None, **options)


@pytest.fixture(params=CASES, ids=lambda case: case[0].__name__)
def algo(request, discrete_spec, continuous_spec):
    algorithm, baseline_class, is_discrete = request.param
    return make(algorithm, discrete_spec if is_discrete else continuous_spec, baseline_class)


def parameters(algo):
    baseline = algo._value_function
    if isinstance(baseline, Module):
        return [algo.policy.get_param_values(), *(v.numpy() for v in baseline.variables)]
    return [algo.policy.get_param_values(), baseline.get_param_values()]


@pytest.mark.filterwarnings("error")
def test_an_update_moves_policy_and_baseline_and_goes_on_the_same_once_pickled(
    algo, make_episodes, row
):
    spec, before = algo.policy.env_spec, [value.copy() for value in parameters(algo)]
    algo._train_once(0, make_episodes(spec, 170, 1, 160, seed=1))
    assert all(not np.array_equal(*pair) for pair in zip(before, parameters(algo), strict=True))
    recorded = row()
    assert recorded["policy/dLoss"] > 0.0
    assert recorded["policy/KL"] > 0.0
    name = type(algo._value_function).__name__
    declared = {key.replace("<value function>", name) for key in algo.METRICS}
    assert {key for key in declared if key.startswith(("policy/", name))} <= recorded.keys()

    twin = cloudpickle.loads(cloudpickle.dumps(algo))
    for each in (algo, twin):
        each._train_once(1, make_episodes(spec, 20, 80, seed=2))
    for ours, theirs in zip(parameters(algo), parameters(twin), strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kl", [0.01, 0.001])
def test_trpo_stays_within_its_region(discrete_spec, make_episodes, row, kl):
    algo = make(TRPO, discrete_spec, max_kl_step=kl)
    for seed in (1, 2, 3):
        algo._train_once(0, make_episodes(discrete_spec, 100, seed=seed))
        assert 0.1 * kl < row()["policy/KL"] <= 1.0001 * kl


def test_metrics_are_those_of_the_policy_before_and_after(discrete_spec, make_episodes, row):
    episodes = make_episodes(discrete_spec, 40, 40)
    algo = make(VPG, discrete_spec, center_adv=False)
    values, last_values = algo._value_function.predict(episodes)
    advantages = algo._learning_batch(episodes, values, last_values).advantages

    def evaluate():
        logits = algo.policy.mlp(episodes.observations).numpy().astype(float)
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
def test_an_update_draws_nothing_from_numpys_global_generator(discrete_spec, make_episodes):
    algo = make(PPO, discrete_spec)
    before = np.random.get_state()[1].copy()
    algo._train_once(0, make_episodes(discrete_spec, 130))
    assert_array_equal(before, np.random.get_state()[1])


def test_maximum_entropy_adds_the_entropy_of_each_row_to_its_reward(discrete_spec, make_episodes):
    episodes = make_episodes(discrete_spec, 6)
    options = {"center_adv": False, "stop_entropy_gradient": True, "entropy_method": "max"}
    algo = make(VPG, discrete_spec, policy_ent_coeff=0.5, **options)
    logits = algo.policy.mlp(episodes.observations).numpy().astype(float)
    every = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -(every * np.log(every)).sum(axis=1)
    assert algo._entropies(episodes) == pytest.approx(expected, rel=1e-5)


def test_an_optimizer_must_be_wrapped(discrete_spec):
    policy = CategoricalMLPPolicy(discrete_spec)
    raw = Adam(policy.trainable_variables)
    with pytest.raises(TypeError, match="PPO: policy_optimizer must be an OptimizerWrapper, such"):
        make(PPO, discrete_spec, policy_optimizer=raw)
    with pytest.raises(TypeError, match="PPO: vf_optimizer must be an OptimizerWrapper, such as"):
        make(PPO, discrete_spec, GaussianMLPBaseline, vf_optimizer=raw)


def test_trpo_needs_a_conjugate_gradient_optimizer(discrete_spec):
    wrapper = OptimizerWrapper(Adam, CategoricalMLPPolicy(discrete_spec))
    with pytest.raises(TypeError, match="must wrap a ConjugateGradientOptimizer"):
        make(TRPO, discrete_spec, policy_optimizer=wrapper)


@pytest.mark.parametrize("algorithm", [VPG, PPO])
def test_first_order_algorithms_refuse_a_trust_region(algorithm, discrete_spec):
    trust_region = make(TRPO, discrete_spec)._policy_optimizer
    with pytest.raises(TypeError, match="policy_optimizer must wrap an optimizer of first order"):
        make(algorithm, discrete_spec, policy_optimizer=trust_region)


def test_two_trust_regions_contradict_each_other(discrete_spec):
    wrapper = make(TRPO, discrete_spec)._policy_optimizer
    with pytest.raises(ValueError, match=r"give max_kl_step \(0.1\) or a policy_optimizer"):
        make(TRPO, discrete_spec, policy_optimizer=wrapper, max_kl_step=0.1)


def test_a_baseline_that_fits_itself_takes_no_optimizer(discrete_spec):
    optimizer = LBFGSOptimizer(CategoricalMLPPolicy(discrete_spec))
    with pytest.raises(ValueError, match="LinearFeatureBaseline fits itself; leave vf_optimizer"):
        make(PPO, discrete_spec, vf_optimizer=optimizer)


@pytest.mark.parametrize("clip", [0.0, 1.0, -0.2])
def test_a_clip_range_must_lie_between_0_and_1(discrete_spec, clip):
    with pytest.raises(ValueError, match="lr_clip_range must lie between 0 and 1"):
        make(PPO, discrete_spec, lr_clip_range=clip)
