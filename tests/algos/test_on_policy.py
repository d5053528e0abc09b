import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.algos.on_policy import RECENT_EPISODES, OnPolicyAlgorithm, policy_metrics
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer

FIRST, MID, TERMINAL, TIMEOUT = StepType


class ConstantBaseline:
    """Value every observation alike; keep what it was fitted to."""

    def __init__(self, value):
        self.value = value
        self.returns = None

    def predict(self, episodes):
        return np.full(episodes.num_steps, self.value), np.full(len(episodes), self.value)

    def fit(self, episodes, returns):
        self.returns = returns


class Collector(OnPolicyAlgorithm):
    """Keep the batches instead of learning from them; every entropy is 2."""

    def __init__(self, env_spec, baseline, sampler=None, **options):
        policy = CategoricalMLPPolicy(env_spec)
        super().__init__(env_spec, policy, baseline, sampler, **options)
        self.learned = []

    def _update(self, batch):
        self.learned.append(batch)
        return policy_metrics(loss_before=3.0, loss_after=1.0, kl=0.5, entropy=np.log(2.0))

    def _entropies(self, episodes):
        return np.full(episodes.num_steps, 2.0)


RAW = {"center_adv": False, "discount": 0.5, "gae_lambda": 0.5}


def learn(env_spec, episodes, value=0.0, **options):
    algo = Collector(env_spec, ConstantBaseline(value), **{**RAW, **options})
    algo._train_once(0, episodes)
    return algo.learned[0]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(("last", "returns"), [(TERMINAL, [1.5, 1.0]), (TIMEOUT, [3.5, 5.0])])
def test_returns_are_bootstrapped_unless_the_episode_terminated(
    env_spec, make_episodes, last, returns
):
    batch = learn(env_spec, make_episodes([[1.0, 1.0]], [last]), value=8.0)
    assert_array_equal(batch.returns, returns)


@pytest.mark.usefixtures("row")
def test_a_cut_fragment_is_bootstrapped(env_spec, make_episodes):
    batch = learn(env_spec, make_episodes([[1.0, 1.0]], [MID]), value=8.0)
    # Deltas: 1 + 8/2 - 8 = -3 twice; the first adds a quarter of the second.
    assert_array_equal(batch.advantages, [-3.75, -3.0])


@pytest.mark.usefixtures("row")
def test_centred_advantages_have_mean_0_and_deviation_1(env_spec, make_episodes):
    episodes = make_episodes([[1.0, 5.0, 2.0], [7.0]], [TERMINAL, TIMEOUT])
    batch = learn(env_spec, episodes, center_adv=True)
    assert_allclose([batch.advantages.mean(), batch.advantages.std()], [0.0, 1.0], atol=1e-7)


@pytest.mark.usefixtures("row")
def test_positive_advantages_keep_their_distances(env_spec, make_episodes):
    episodes = make_episodes([[-1.0], [5.0]], [TERMINAL, TERMINAL])
    batch = learn(env_spec, episodes, positive_adv=True)
    assert batch.advantages.min() > 0.0
    assert_allclose(batch.advantages, [0.0, 6.0], atol=1e-6)


@pytest.mark.usefixtures("row")
def test_maximum_entropy_adds_to_the_rewards(env_spec, make_episodes):
    options = {"entropy_method": "max", "policy_ent_coeff": 0.25, "stop_entropy_gradient": True}
    batch = learn(env_spec, make_episodes([[1.0, 1.0]], [TERMINAL]), **options)
    assert_array_equal(batch.returns, [2.25, 1.5])


def test_one_update_records_every_key(env_spec, make_episodes, row):
    algo = Collector(env_spec, LinearFeatureBaseline(env_spec))
    algo._train_once(4, make_episodes([[1.0, 1.0], [1.0]], [TERMINAL, TIMEOUT]))
    recorded = row()
    names = {key.replace("<value function>", "LinearFeatureBaseline") for key in algo.METRICS}
    assert names <= recorded.keys()
    assert recorded["policy/dLoss"] == 2.0
    assert recorded["policy/KLBefore"] == 0.0
    assert recorded["policy/Perplexity"] == pytest.approx(2.0)
    assert recorded["LinearFeatureBaseline/ExplainedVariance"] == 0.0
    assert recorded["Extras/EpisodeRewardMean"] == 1.5
    assert recorded["Evaluation/Iteration"] == 4


def test_recent_episodes_are_averaged_and_old_ones_forgotten(env_spec, make_episodes, row):
    algo = Collector(env_spec, ConstantBaseline(0.0))
    algo._train_once(0, make_episodes([[9.0]], [TERMINAL]))
    algo._train_once(1, make_episodes([[1.0]] * RECENT_EPISODES, [TERMINAL] * RECENT_EPISODES))
    assert row()["Extras/EpisodeRewardMean"] == 1.0
    assert len(algo._recent_returns) == RECENT_EPISODES


def test_an_epoch_trains_as_often_as_it_is_told(tmp_path, env_spec):
    env = GymEnv("CartPole-v1", max_episode_length=10)
    baseline = LinearFeatureBaseline(env.spec)
    policy = CategoricalMLPPolicy(env.spec)
    sampler = LocalSampler(policy, env)
    algo = Collector(env.spec, baseline, sampler, num_train_per_epoch=3)
    algo.policy = policy
    trainer = Trainer(SnapshotConfig(snapshot_dir=str(tmp_path), snapshot_mode="none"))
    trainer.setup(algo, env)
    average = trainer.train(n_epochs=2, batch_size=30)
    assert len(algo.learned) == 6
    assert trainer.step_itr == 6
    last = algo.learned[-1].episodes
    assert average == pytest.approx(last.rewards.sum() / len(last))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        ({"gae_lambda": -0.1}, r"gae_lambda must be in \[0, 1\], got -0.1"),
        ({"num_train_per_epoch": 0}, "num_train_per_epoch must be at least 1, got 0"),
        ({"entropy_method": "most"}, "'max', 'regularized' or 'no_entropy', got 'most'"),
        ({"policy_ent_coeff": 0.1}, "policy_ent_coeff=0.1 has no effect"),
        ({"entropy_method": "max", "stop_entropy_gradient": True}, "pass center_adv=False"),
        ({"entropy_method": "max", "center_adv": False}, "stop_entropy_gradient=True"),
    ],
)
def test_bad_options_are_refused(env_spec, options, message):
    with pytest.raises(ValueError, match=message):
        Collector(env_spec, ConstantBaseline(0.0), **options)


def test_a_value_function_must_be_a_baseline(env_spec):
    with pytest.raises(TypeError, match=r"must have the methods predict\(episodes\) and fit"):
        Collector(env_spec, object())
