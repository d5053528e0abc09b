"""Off-policy learning and recurrent policies from environments stepped in arrays, and resumed."""

import numpy as np
import pytest

from garage_like import Trainer
from garage_like.envs import GymEnv, normalize
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig, read_snapshot
from garage_like.torch.algos import DQN, PPO
from garage_like.torch.policies import CategoricalGRUPolicy, DiscreteQFArgmaxPolicy
from garage_like.torch.q_functions import DiscreteMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction

N_ENVS = 16


def dqn(env):
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=(8,))
    policy = DiscreteQFArgmaxPolicy(qf, env.spec)
    exploration = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=1000)
    return DQN(
        env.spec,
        policy,
        qf,
        PathBuffer(2000, env.spec),
        LocalSampler(exploration, env, n_envs=N_ENVS),
        exploration_policy=exploration,
        steps_per_epoch=5,
        gradient_steps_per_itr=1,
        buffer_batch_size=16,
        min_buffer_size=100,
        num_evaluation_episodes=0,
    )


def recurrent_ppo(env):
    policy = CategoricalGRUPolicy(env.spec, hidden_dim=6)
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(8,))
    return PPO(env.spec, policy, value_function, LocalSampler(policy, env, n_envs=N_ENVS))


def normalised_ppo(env):
    env = normalize(env, normalize_obs=True, normalize_reward=True)
    return recurrent_ppo(env)


def trained(make, directory, n_epochs):
    set_seed(4)
    env = GymEnv("CartPole-v1", max_episode_length=25)
    algo = make(env)
    trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all"))
    trainer.setup(algo, env)
    trainer.train(n_epochs, 3 * N_ENVS)
    return algo


def weights(algo):
    return [parameter.detach().numpy() for parameter in algo.policy.parameters()]


@pytest.mark.parametrize("make", [dqn, recurrent_ppo, normalised_ppo])
def test_a_run_that_is_resumed_in_mid_episode_goes_on_bit_for_bit(make, tmp_path):
    straight = trained(make, tmp_path / "straight", 4)
    (worker,) = straight._sampler._workers
    assert worker.vector_env.n_envs == N_ENVS
    trained(make, tmp_path / "cut", 2)
    trainer = Trainer(SnapshotConfig(snapshot_dir=tmp_path / "cut", snapshot_mode="all"))
    trainer.restore(tmp_path / "cut")
    assert read_snapshot(tmp_path / "cut").manifest.exact
    trainer.resume(n_epochs=4)
    resumed = trainer.algo
    (again,) = resumed._sampler._workers
    assert (worker._so_far.lengths > 0).any()
    np.testing.assert_array_equal(again._so_far.observations, worker._so_far.observations)
    np.testing.assert_array_equal(again._so_far.lengths, worker._so_far.lengths)
    for one, other in zip(weights(straight), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    if make is dqn:
        assert resumed.replay_buffer.n_transitions_stored >= 4 * 5 * 3 * N_ENVS
        assert resumed._gradient_steps == straight._gradient_steps > 0
