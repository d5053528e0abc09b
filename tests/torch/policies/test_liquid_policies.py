"""Closed-form continuous-time cells: wired as circuits, and learned from replayed histories."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from garage_like.envs import GymEnv
from garage_like.np.cfc import CfC
from garage_like.np.exploration_policies import AddGaussianNoise, AddOrnsteinUhlenbeckNoise
from garage_like.np.neural_circuit import NeuralCircuit
from garage_like.replay_buffer import PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed
from garage_like.torch import policies
from garage_like.torch.algos import DDPG, TD3
from garage_like.torch.q_functions import ContinuousMLPQFunction
from garage_like.trainer import Trainer

DETERMINISTIC = ["DeterministicCfCPolicy", "DeterministicGRUPolicy", "DeterministicLSTMPolicy"]
SMALL = {"min_buffer_size": 60, "buffer_batch_size": 8, "num_evaluation_episodes": 1}


@pytest.fixture
def pendulum():
    set_seed(1)
    return GymEnv("Pendulum-v1", max_episode_length=20)


def test_a_closed_form_step_worked_by_hand():
    # One neuron: g, k and f see the input 2 with weights 0.5, -1 and 1; the state 0.4 with 1, 2, 3.
    cell = CfC(
        np.array([[0.5, -1.0, 1.0]], np.float32),
        np.array([[1.0, 2.0, 3.0]], np.float32),
        np.array([0.1, 0.2, 0.3], np.float32),
        [(0, 1)],
        1,
    )
    g, k = math.tanh(1.0 + 0.4 + 0.1), math.tanh(-2.0 + 0.8 + 0.2)
    share = 1.0 / (1.0 + math.exp(-(2.0 + 1.2 + 0.3)))
    state = cell(np.array([[2.0]], np.float32), np.array([[0.4]], np.float32))
    assert_allclose(state, [[(1 - share) * g + share * k]], rtol=1e-6)


def test_a_circuit_has_no_synapse_that_its_layers_do_not_have():
    set_seed(3)
    circuit = NeuralCircuit(inputs=3, neurons=12, motors=2, sparsity=0.6)
    assert circuit.layers == [(6, 12), (2, 6), (0, 2)]  # inter, command, motor
    assert not circuit.input_mask[:, :6].any()
    layer_of = np.repeat([2, 1, 0], [2, 4, 6])
    for sender, receiver in np.argwhere(circuit.state_mask):
        assert layer_of[receiver] - layer_of[sender] in (0, 1)
    between = circuit.state_mask[6:, 2:6]
    assert 0.0 < between.mean() < 0.7
    assert circuit.state_mask.any(axis=0).all()
    assert (circuit.state_mask[2:6, :2].any(axis=0)).all()
    with pytest.raises(ValueError, match="at least 4 neurons, got 3"):
        NeuralCircuit(3, 3, 2)


def test_synapses_that_there_are_not_never_learn(pendulum):
    policy = policies.GaussianCfCPolicy(pendulum.spec, hidden_dim=8)
    before = {name: p.detach().clone() for name, p in policy.cell.named_parameters()}
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.1)
    sampler = LocalSampler(policy, pendulum)
    loss = policy(policy.inputs(sampler.obtain_samples(0, 40)))[0].mean.square().sum()
    loss.backward()
    optimizer.step()
    for name in ("input", "state"):
        moved = before[f"{name}_weights"] != getattr(policy.cell, f"{name}_weights")
        mask = getattr(policy.cell, f"{name}_mask").bool()
        assert not (moved & ~mask).any()
        assert (moved & mask).any()


@pytest.mark.parametrize("name", DETERMINISTIC)
@pytest.mark.parametrize(("sees_actions", "n_envs"), [(False, 1), (True, 1), (True, 3)])
def test_replayed_histories_end_in_what_was_done(pendulum, name, sees_actions, n_envs):
    options = {"history_length": 30, "state_include_action": sees_actions}
    policy = getattr(policies, name)(pendulum.spec, hidden_dim=6, **options)
    buffer = PathBuffer(400, pendulum.spec)
    worker = {"worker_class": FragmentWorker, "worker_args": {"n_envs": n_envs}}
    sampler = LocalSampler(policy, pendulum, **worker)
    for _ in range(5 * n_envs):  # episodes go on from call to call, and the buffer joins them
        buffer.add_episode_batch(sampler.obtain_samples(0, 13))
    transitions = buffer.sample_histories(64, policy.history_length)
    before, after = policy.histories(transitions)
    with torch.no_grad():
        assert_allclose(policy(before).numpy(), transitions["action"], rtol=1e-4, atol=1e-5)
        following = policy(after).numpy()
    # What comes next in an episode is what was done on what followed.
    rows = buffer._table.take(np.arange(buffer.n_transitions_stored))
    came_next = {row.tobytes(): action for row, action in zip(*_seen_and_done(rows), strict=True)}
    matched = 0
    for seen, action in zip(transitions["next_observation"], following, strict=True):
        if seen.tobytes() in came_next:
            assert_allclose(action, came_next[seen.tobytes()], rtol=1e-4, atol=1e-5)
            matched += 1
    assert matched > 30


def _seen_and_done(rows):
    return np.ascontiguousarray(rows["observation"]), rows["action"]


def test_short_histories_begin_anywhere_in_an_episode(pendulum):
    buffer = PathBuffer(50, pendulum.spec)  # the ring has wrapped
    policy = policies.DeterministicCfCPolicy(pendulum.spec, hidden_dim=6)
    buffer.add_episode_batch(LocalSampler(policy, pendulum).obtain_samples(0, 120))
    drawn = buffer.sample_histories(100, 3)
    which, now = np.arange(100), drawn["history_steps"]
    assert set(now.tolist()) == {0, 1, 2}
    assert np.array_equal(drawn["history_observation"][which, now], drawn["observation"])
    assert np.array_equal(drawn["history_action"][which, now], drawn["action"])


@pytest.mark.parametrize("noise", [AddGaussianNoise, AddOrnsteinUhlenbeckNoise])
def test_noise_around_a_memory_is_part_of_what_is_remembered(pendulum, noise):
    policy = policies.DeterministicCfCPolicy(pendulum.spec, hidden_dim=6, state_include_action=True)
    steps = {"total_timesteps": 100} if noise is AddGaussianNoise else {}
    explorer = noise(pendulum.spec, policy, **steps)
    actor = explorer.actor()
    memory = np.zeros((2, actor.memory_dim), np.float32)
    actor.remember(memory)
    observations = np.ones((2, 3), np.float32)
    for _ in range(3):
        done = actor.act(observations, np.random.default_rng(1))[0]
        assert_allclose(memory[:, 6:], done)
    alone = policy.actor()
    alone.remember(memory.copy())
    quiet = alone.act(observations, np.random.default_rng(1))[0]
    actor.remember(memory.copy())
    assert not np.allclose(actor.act(observations, np.random.default_rng(1))[0], quiet)


@pytest.mark.parametrize("algorithm", [DDPG, TD3])
def test_deterministic_gradients_train_a_policy_with_a_memory(pendulum, algorithm):
    policy = policies.DeterministicCfCPolicy(pendulum.spec, hidden_dim=6)
    qfs = [ContinuousMLPQFunction(pendulum.spec, (8,)) for _ in range(1 + (algorithm is TD3))]
    noise = AddOrnsteinUhlenbeckNoise(pendulum.spec, policy)
    buffer = PathBuffer(200)
    algo = algorithm(pendulum.spec, policy, *qfs, buffer, exploration_policy=noise, **SMALL)
    before = policy.get_param_values()
    trainer = Trainer()
    trainer.setup(algo, pendulum)
    trainer.train(3, 40)
    assert np.isfinite(policy.get_param_values()).all()
    assert not np.array_equal(policy.get_param_values(), before)


def test_memories_that_lose_what_was_before_are_refused(pendulum):
    policy = policies.DeterministicGRUPolicy(pendulum.spec, hidden_dim=4)
    qf = ContinuousMLPQFunction(pendulum.spec, (4,))
    buffer = PrioritizedReplayBuffer(200, pendulum.spec)
    algo = DDPG(pendulum.spec, policy, qf, buffer, **SMALL)
    trainer = Trainer()
    trainer.setup(algo, pendulum)
    with pytest.raises(TypeError, match="a recurrent policy learns from a PathBuffer"):
        trainer.train(2, 40)
