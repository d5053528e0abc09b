import dataclasses

import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose, assert_array_equal

from garage_like.evaluation import DeterministicAgent, ModeActor
from garage_like.np.actors import CategoricalActor, GaussianActor
from garage_like.np.gru import GRU
from garage_like.np.lstm import LSTM
from garage_like.np.recurrent_actors import RecurrentActor, RecurrentNetwork, encode_actions
from garage_like.np.recurrent_inputs import recurrent_inputs

SPACE = spaces.Box(-1.0, 1.0, (3,))
HIDDEN = 5


def make_network(cell="gru", outputs=4, action_dim=0):
    rng = np.random.default_rng(0)
    cls, gates = {"gru": (GRU, 3), "lstm": (LSTM, 4)}[cell]
    shapes = [(3 + action_dim, gates * HIDDEN), (HIDDEN, gates * HIDDEN), (gates * HIDDEN,)]
    made = cls(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))
    output_weights = rng.normal(size=(HIDDEN, outputs)).astype(np.float32)
    return RecurrentNetwork(made, output_weights, np.zeros(outputs, np.float32), action_dim)


def make_actor(cell="gru", action_dim=0):
    network = make_network(cell, 4, action_dim)
    return RecurrentActor(CategoricalActor(network, SPACE), network)


def observations(*shape):
    return np.random.default_rng(2).normal(size=(*shape, 3)).astype(np.float32)


def blank(actor, rows):
    return np.zeros((rows, actor.memory_dim), np.float32)


def logits_of(actor, sequence, memory, seed=3):
    """Act on each of T observations of shape (N, 3) in turn; return logits of shape (T, N, 4)."""
    actor.remember(memory)
    rng = np.random.default_rng(seed)
    return np.stack([actor.act(rows, rng)[1]["logits"] for rows in sequence])


@pytest.mark.parametrize("action_dim", [0, 4])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_memory_is_all_that_an_actor_remembers(cell, action_dim):
    sequence = observations(8, 2)
    whole = logits_of(
        make_actor(cell, action_dim), sequence, blank(make_actor(cell, action_dim), 2)
    )
    # The same weights in another actor, its memory copied in the middle: bit for bit the same.
    first, rng = make_actor(cell, action_dim), np.random.default_rng(3)
    memory = blank(first, 2)
    first.remember(memory)
    before = [first.act(rows, rng)[1]["logits"] for rows in sequence[:4]]
    second = make_actor(cell, action_dim)
    second.remember(memory.copy())
    after = [second.act(rows, rng)[1]["logits"] for rows in sequence[4:]]
    assert np.stack([*before, *after]).tobytes() == whole.tobytes()


def test_what_was_seen_before_matters():
    actor = make_actor()
    sequence = observations(2, 1)
    remembered = logits_of(actor, sequence, blank(actor, 1))[1]
    fresh = logits_of(actor, sequence[1:], blank(actor, 1))[0]
    assert np.abs(remembered - fresh).max() > 0.01


def test_the_previous_action_is_seen_if_it_is_asked_for():
    rows = observations(1)
    memory = np.zeros((1, HIDDEN + 4), np.float32)
    actor = make_actor(action_dim=4)
    logits = []
    for action in range(2):
        memory[:] = 0.0
        memory[0, HIDDEN + action] = 1.0
        logits.append(logits_of(actor, rows[None], memory.copy())[0])
    assert np.abs(logits[0] - logits[1]).max() > 0.01


def test_actions_taken_lie_in_the_memory():
    actor = make_actor(action_dim=4)
    memory = blank(actor, 3)
    actor.remember(memory)
    actions, _ = actor.act(observations(3), np.random.default_rng(0))
    assert_array_equal(memory[:, HIDDEN:], np.eye(4)[actions])


def test_a_mode_is_remembered_instead_of_the_sample_it_replaces():
    actor = ModeActor(make_actor(action_dim=4))
    memory = blank(actor, 50)
    actor.remember(memory)
    actions, infos = actor.act(observations(50), np.random.default_rng(0))
    assert_array_equal(actions, infos["logits"].argmax(axis=1))
    assert_array_equal(memory[:, HIDDEN:], np.eye(4)[actions])


def test_continuous_actions_are_remembered_flat():
    network = make_network("lstm", 2, 2)
    inner = GaussianActor(network, np.zeros(2, np.float32), SPACE, (2, 1))
    actor = RecurrentActor(inner, network)
    memory = blank(actor, 3)
    actor.remember(memory)
    actions, infos = actor.act(observations(3), np.random.default_rng(0))
    assert actions.shape == (3, 2, 1)
    assert infos["mean"].shape == (3, 2)
    assert_array_equal(memory[:, 2 * HIDDEN :], actions.reshape(3, 2))


def test_a_deterministic_agent_remembers_from_call_to_call():
    class Policy:
        def actor(self):
            return make_actor()

        def reset(self, do_resets=None):
            pass

    agent = DeterministicAgent(Policy())
    sequence = observations(6)
    together = [agent.get_action(row)[1]["logits"] for row in sequence]
    expected = logits_of(make_actor(), sequence[:, None], blank(make_actor(), 1))[:, 0]
    assert_array_equal(together, expected)
    agent.reset()
    assert_array_equal(agent.get_action(sequence[0])[1]["logits"], expected[0])


def test_acting_without_a_memory_is_refused():
    with pytest.raises(RuntimeError, match=r"acts on its caller's memory; call remember"):
        make_actor().act(observations(1), np.random.default_rng(0))


def test_a_memory_of_other_width_is_refused():
    with pytest.raises(ValueError, match=r"expected rows of 5 numbers, got shape \(2, 4\)"):
        make_actor().remember(np.zeros((2, 4), np.float32))


def test_a_memory_of_other_environments_is_refused():
    actor = make_actor()
    actor.remember(blank(actor, 2))
    with pytest.raises(ValueError, match="memory is of 2 environments, got observations of 3"):
        actor.act(observations(3), np.random.default_rng(0))


def test_inputs_are_padded_and_found_again_in_order(make_episodes):
    episodes = make_episodes(2, 4, 1)
    inputs = recurrent_inputs(episodes, HIDDEN)
    assert inputs.rows.shape == (4 * 3, 3)
    assert_array_equal(inputs.states, np.zeros((3, HIDDEN)))
    assert_array_equal(inputs.rows[inputs.steps], episodes.observations)
    # Row t * 3 + n: the second episode alone goes on after two steps.
    assert inputs.steps.tolist() == [0, 3, 1, 4, 7, 10, 2]
    assert_array_equal(inputs.rows.any(axis=1), np.isin(np.arange(12), inputs.steps))


def test_previous_actions_stay_within_their_episode(make_episodes):
    episodes = make_episodes(2, 3)
    inputs = recurrent_inputs(episodes, HIDDEN, 4)
    previous = inputs.rows[inputs.steps, 3:]
    assert_array_equal(previous[[1, 3, 4]], np.eye(4)[episodes.actions[[0, 2, 3]]])
    assert not previous[[0, 2]].any()


def test_a_fragment_begins_with_the_memory_it_was_cut_with(make_episodes):
    memory = np.arange(2 * (HIDDEN + 4), dtype=np.float32).reshape(2, -1)
    episodes = dataclasses.replace(make_episodes(2, 3), episode_infos_by_episode={"Memory": memory})
    inputs = recurrent_inputs(episodes, HIDDEN, 4)
    assert_array_equal(inputs.states, memory[:, :HIDDEN])
    assert_array_equal(inputs.rows[:2, 3:], memory[:, HIDDEN:])


def test_actions_are_encoded_one_hot_or_flat():
    assert_array_equal(encode_actions(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    encoded = encode_actions(np.array([[[0.5], [1.0]]]), 2)
    assert encoded.dtype == np.float32
    assert_allclose(encoded, [[0.5, 1.0]])
