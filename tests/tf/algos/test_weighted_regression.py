import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_allclose

from garage_like.algos.on_policy import OnPolicyBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.tf.action_rows import action_rows
from garage_like.tf.algos import ERWR, REPS
from garage_like.tf.algos.weighted_fit import WeightedFit
from garage_like.tf.optimizers import Adam, LBFGSOptimizer, OptimizerWrapper
from garage_like.tf.policies import CategoricalGRUPolicy, CategoricalMLPPolicy, GaussianMLPPolicy


@pytest.fixture
def policy(discrete_spec):
    return CategoricalMLPPolicy(discrete_spec, hidden_sizes=(8,))


def probabilities(policy, episodes):
    logits = policy(policy.inputs(episodes))[0].logits.numpy()
    return np.exp(logits)[np.arange(episodes.num_steps), episodes.actions]


def test_actions_that_weigh_become_more_likely(policy, discrete_spec, make_episodes):
    episodes = make_episodes(discrete_spec, 5, 5)
    weights = np.array([1.0] * 5 + [0.0] * 5)
    before = probabilities(policy, episodes)
    fit = WeightedFit(policy, LBFGSOptimizer(policy, 50))(episodes, weights)
    after = probabilities(policy, episodes)
    assert (after[:5] > 0.9).all()
    assert fit["loss_after"] < fit["loss_before"]
    assert_allclose(fit["loss_before"], -(weights * np.log(before)).mean(), rtol=1e-5)
    assert_allclose(fit["loss_after"], -(weights * np.log(after)).mean(), rtol=1e-4, atol=1e-6)


def test_divergence_is_that_of_the_old_policy_from_the_new(discrete_spec, make_episodes):
    policy = CategoricalMLPPolicy(discrete_spec, hidden_sizes=(8,))
    episodes = make_episodes(discrete_spec, 6)
    old = policy(policy.inputs(episodes))[0]
    fit = WeightedFit(policy, LBFGSOptimizer(policy, 3))(episodes, np.ones(6))
    new = policy(policy.inputs(episodes))[0]
    assert_allclose(fit["kl"], old.kl_divergence(new).numpy().mean(), rtol=1e-4)
    assert_allclose(fit["entropy"], new.entropy().numpy().mean(), rtol=1e-5)


def test_continuous_actions_are_fitted(continuous_spec, make_episodes):
    policy = GaussianMLPPolicy(continuous_spec, hidden_sizes=(8,))
    episodes = make_episodes(continuous_spec, 8)
    fit = WeightedFit(policy)(episodes, np.ones(8))
    assert fit["loss_after"] < fit["loss_before"]
    assert fit["kl"] > 0.0


def test_penalty_keeps_parameters_small(discrete_spec, make_episodes):
    episodes = make_episodes(discrete_spec, 8)
    sizes = []
    for penalty in (0.0, 10.0):
        np.random.seed(0)
        policy = CategoricalMLPPolicy(discrete_spec, hidden_sizes=(8,))
        WeightedFit(policy, penalty=penalty)(episodes, np.ones(8))
        sizes.append(np.square(policy.get_param_values()).mean())
    assert sizes[1] < 0.1 * sizes[0]


def test_an_optimizer_of_first_order_may_fit_as_well(discrete_spec, make_episodes):
    policy = CategoricalGRUPolicy(discrete_spec, hidden_dim=4)
    adam = OptimizerWrapper((Adam, {"lr": 0.05}), policy, 30, minibatch_size=5)
    fit = WeightedFit(policy, adam)(make_episodes(discrete_spec, 4, 6), np.ones(10))
    assert fit["loss_after"] < fit["loss_before"]


def paying(episodes, action):
    """Return the batch with a reward of 1 for one action."""
    episodes.rewards[:] = episodes.actions == action
    return episodes


@pytest.fixture
def blind_spec():
    space = gymnasium.spaces.Box(0.0, 0.0, (1,))
    return EnvSpec(space, gymnasium.spaces.Discrete(4))


def test_reps_prefers_what_pays(blind_spec, make_episodes):
    policy = CategoricalMLPPolicy(blind_spec, hidden_sizes=(4,))
    algo = REPS(blind_spec, policy, epsilon=0.3)
    episodes = paying(make_episodes(blind_spec, *[10] * 40), 2)
    before = np.exp(policy(policy.inputs(episodes))[0].logits[0, 2])
    weights, metrics = algo._weigh(episodes)
    algo._fit(episodes, weights)
    after = np.exp(policy(policy.inputs(episodes))[0].logits[0, 2])
    assert after > before + 0.1
    assert 0.0 < metrics["Dual/KL"] < 0.4


def test_a_baseline_of_reps_is_fitted_and_reported(blind_spec, make_episodes, row):
    class Trainer:
        step_itr = 0

        def obtain_episodes(self, itr):
            return make_episodes(blind_spec, 10, 10, seed=itr)

    policy = CategoricalMLPPolicy(blind_spec, hidden_sizes=(4,))
    baseline, trainer = LinearFeatureBaseline(blind_spec), Trainer()
    without, fitted = REPS(blind_spec, policy), REPS(blind_spec, policy, baseline)
    without.train_epoch(trainer)
    assert "LinearFeatureBaseline/ExplainedVariance" not in row()
    fitted.train_epoch(trainer)
    assert row()["LinearFeatureBaseline/ExplainedVariance"] <= 1.0
    assert baseline.get_param_values().any()
    assert trainer.step_itr == 2


def test_erwr_prefers_what_pays(blind_spec, make_episodes):
    policy = CategoricalMLPPolicy(blind_spec, hidden_sizes=(4,))
    algo = ERWR(blind_spec, policy, LinearFeatureBaseline(blind_spec), discount=0.0)
    episodes = paying(make_episodes(blind_spec, *[10] * 40), 2)
    advantages = episodes.rewards - episodes.rewards.mean()
    advantages -= advantages.min()
    algo._update(OnPolicyBatch(episodes, episodes.rewards, advantages))
    # Weight 0 for all other actions: only what pays is left.
    assert np.exp(policy(policy.inputs(episodes))[0].logits[0, 2]) > 0.95


def test_actions_are_rows(continuous_spec, discrete_spec, make_episodes):
    assert action_rows(make_episodes(continuous_spec, 3)).shape == (3, 2)
    assert action_rows(make_episodes(discrete_spec, 3)).dtype == np.int64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, "REPS: epsilon must be positive, got 0.0"),
        ({"discount": 2.0}, r"REPS: discount must be in \[0, 1\], got 2.0"),
        ({"l2_reg_dual": -1.0}, "REPS: l2_reg_dual must not be negative, got -1.0"),
        ({"l2_reg_loss": -1.0}, "l2_reg_loss must not be negative, got -1.0"),
        ({"dual_iterations": 0}, "REPS: dual_iterations must be at least 1, got 0"),
    ],
)
def test_reps_refuses_numbers_out_of_range(discrete_spec, policy, options, message):
    with pytest.raises(ValueError, match=message):
        REPS(discrete_spec, policy, **options)


def test_an_optimizer_must_minimise(discrete_spec, policy):
    message = r"policy_optimizer must have minimize\(loss, \*tensors\)"
    with pytest.raises(TypeError, match=message):
        REPS(discrete_spec, policy, policy_optimizer="adam")
    baseline = LinearFeatureBaseline(discrete_spec)
    with pytest.raises(TypeError, match=message):
        ERWR(discrete_spec, policy, baseline, policy_optimizer="adam")
