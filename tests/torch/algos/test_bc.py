"""BC: losses, sources, options."""

import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

from garage_like.data.batches import EpisodeBatch, TimeStepBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import PointEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import BC
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicMLPPolicy,
    GaussianMLPPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.trainer import Trainer


class GoToGoal:
    """The expert: go straight to the goal."""

    def act(self, observations, rng):
        return np.clip(np.array([1.0, 1.0]) - observations[:, :2], -0.1, 0.1), {}

    def actor(self):
        return self

    def get_action(self, observation):
        return self.act(observation[None], None)[0][0], {}

    def reset(self, do_resets=None) -> None:
        pass


@pytest.fixture
def env() -> PointEnv:
    set_seed(1)
    return PointEnv(max_episode_length=40)


def record(env: PointEnv, count: int) -> EpisodeBatch:
    return LocalSampler(GoToGoal(), env).obtain_samples(0, count)


def train(algo: BC, env: PointEnv, n_epochs: int, batch_size: int = 200) -> float:
    trainer = Trainer()
    trainer.setup(algo, env)
    return trainer.train(n_epochs, batch_size)


def quick(env: PointEnv, source, policy=None, **options) -> BC:
    policy = policy or DeterministicMLPPolicy(env.spec, (16,))
    options = {"loss": "mse", "batch_size": 32, "num_evaluation_episodes": 1, **options}
    return BC(env.spec, policy, source=source, **options)


def mean_distance(policy, episodes: EpisodeBatch) -> float:
    actions, _ = policy.get_actions(episodes.observations)
    return float(np.abs(actions - episodes.actions).mean())


@pytest.mark.parametrize(
    ("policy_class", "loss"),
    [
        (DeterministicMLPPolicy, "mse"),
        (TanhGaussianMLPPolicy, "mse"),
        (GaussianMLPPolicy, "log_prob"),
    ],
)
def test_learner_comes_nearer_to_the_record(env, policy_class, loss):
    episodes = record(env, 300)
    policy = policy_class(env.spec, (16,))
    before = mean_distance(policy, episodes)
    train(quick(env, episodes, policy, loss=loss, policy_lr=1e-2), env, 5)
    assert mean_distance(policy, episodes) < 0.7 * before


def test_expert_is_played_anew_in_each_epoch(env):
    sampler = LocalSampler(GoToGoal(), env)
    algo = quick(env, GoToGoal(), sampler=sampler)
    train(algo, env, 3, batch_size=50)
    assert sampler.total_env_steps >= 150


def test_record_needs_no_sampler(env):
    batches = [record(env, 50), TimeStepBatch.from_episode_batch(record(env, 60))]
    algo = quick(env, batches)
    assert len(algo._examples[1]) >= 110
    train(algo, env, 1)


def test_log_prob_loss_is_the_likelihood(env):
    policy = GaussianMLPPolicy(env.spec, (8,))
    algo = quick(env, record(env, 50), policy, loss="log_prob")
    with torch.no_grad():
        mean = policy(torch.zeros(2, env.spec.observation_dim))[0].mean
        loss = algo._loss(torch.zeros(2, env.spec.observation_dim), mean.numpy())
    assert loss.item() == pytest.approx(math.log(2 * math.pi), rel=1e-5)


def test_mse_loss_is_the_squared_distance(env):
    algo = quick(env, record(env, 50))
    observations = torch.zeros(2, env.spec.observation_dim)
    with torch.no_grad():
        actions = algo.policy(observations).numpy()
        assert algo._loss(observations, actions + np.array([1.0, 2.0])).item() == pytest.approx(5.0)


def test_discrete_actions_are_learned_by_likelihood():
    set_seed(1)
    spec = EnvSpec(spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(3))
    policy = CategoricalMLPPolicy(spec, (8,))
    algo = BC(spec, policy, batch_size=4, source=batch_of(spec))
    with torch.no_grad():
        rows = torch.zeros(3, 2)
        expected = -policy(rows)[0].log_prob(torch.tensor([0, 1, 2])).mean()
        assert algo._loss(rows, np.array([0, 1, 2])).item() == pytest.approx(expected.item())


def batch_of(spec: EnvSpec) -> TimeStepBatch:
    return TimeStepBatch(
        env_spec=spec,
        observations=np.zeros((3, 2), np.float32),
        actions=np.array([0, 1, 2]),
        rewards=np.zeros(3),
        next_observations=np.zeros((3, 2), np.float32),
        step_types=np.zeros(3, np.uint8),
    )


def test_likelihood_needs_probabilities(env):
    with pytest.raises(ValueError, match="'log_prob' needs a learner with probabilities"):
        quick(env, record(env, 5), loss="log_prob")


def test_distance_needs_continuous_actions():
    spec = EnvSpec(spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(3))
    with pytest.raises(ValueError, match="loss='mse' is for continuous actions"):
        BC(spec, CategoricalMLPPolicy(spec), batch_size=4, source=batch_of(spec), loss="mse")


@pytest.mark.parametrize("source", [None, 3, [], [1]])
def test_source_must_be_a_policy_or_a_record(env, source):
    with pytest.raises(TypeError, match="source must be a policy"):
        quick(env, source)


def test_policy_as_source_needs_a_sampler(env):
    with pytest.raises(ValueError, match="needs a sampler that plays it"):
        quick(env, GoToGoal())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "mae"}, "loss must be 'log_prob' or 'mse', got 'mae'"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"minibatches_per_epoch": 0}, "minibatches_per_epoch must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused(env, options, message):
    with pytest.raises(ValueError, match=message):
        quick(env, record(env, 5), **options)
