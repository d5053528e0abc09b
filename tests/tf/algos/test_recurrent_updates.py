import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.envs import GymEnv
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.tf.algos import PPO, TRPO, VPG
from garage_like.tf.optimizers import Adam, OptimizerWrapper
from garage_like.tf.policies import CategoricalGRUPolicy, CategoricalLSTMPolicy
from garage_like.tf.quiet_import import tf


@pytest.fixture
def env():
    return GymEnv("CartPole-v1", max_episode_length=20)


def collect(env, policy, steps=60):
    sampler = LocalSampler(policy, env, worker_class=FragmentWorker, worker_args={"n_envs": 3})
    sampler.obtain_samples(0, 20)
    return sampler.obtain_samples(1, steps)


def update(algo, episodes):
    values, last_values = algo._value_function.predict(episodes)
    return algo._update(algo._learning_batch(episodes, values, last_values))


def make(cls, env, policy, **options):
    return cls(env.spec, policy, LinearFeatureBaseline(env.spec), None, **options)


@pytest.mark.parametrize("policy_class", [CategoricalGRUPolicy, CategoricalLSTMPolicy])
def test_loss_is_the_one_that_acting_step_by_step_gives(env, policy_class):
    policy = policy_class(env.spec, hidden_dim=8)
    episodes = collect(env, policy)
    algo = make(VPG, env, policy)
    advantages = np.random.default_rng(0).normal(size=episodes.num_steps).astype(np.float32)
    logits = episodes.agent_infos["logits"].astype(np.float64)
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    chosen = log_probs[np.arange(episodes.num_steps), episodes.actions]
    zeros = tf.zeros(episodes.num_steps)
    loss = algo._loss(policy.inputs(episodes), episodes.actions, advantages, zeros)
    assert_allclose(loss, -(chosen * advantages).mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_step_of_trpo_stays_within_its_trust_region(env):
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=4)
    metrics = update(make(TRPO, env, policy), collect(env, policy))
    assert metrics["policy/LossAfter"] < metrics["policy/LossBefore"]
    assert 0.004 < metrics["policy/KL"] <= 0.01


def test_an_update_of_ppo_makes_the_loss_less(env):
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=4)
    metrics = update(make(PPO, env, policy), collect(env, policy))
    assert metrics["policy/LossAfter"] < metrics["policy/LossBefore"]


def test_minibatches_are_steps_that_still_know_what_led_up_to_them(env):
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=4)
    episodes = collect(env, policy)
    optimizer = OptimizerWrapper((Adam, {"lr": 1e-3}), policy, minibatch_size=20)
    seen = []

    def loss(inputs, rows):
        distribution, _ = policy(inputs)
        tf.py_function(lambda *found: seen.append(found), [rows, distribution.logits], [])
        return tf.reduce_mean(distribution.log_prob(tf.zeros_like(rows)))

    before = policy(policy.inputs(episodes))[0].logits.numpy()
    optimizer.minimize(loss, policy.inputs(episodes), np.arange(60, dtype=np.int32))
    assert [len(rows) for rows, _ in seen] == [20] * 3
    assert_array_equal(np.sort(np.concatenate([rows for rows, _ in seen])), np.arange(60))
    rows, logits = seen[0]
    assert_allclose(logits, before[rows.numpy()], rtol=1e-5, atol=1e-6)
