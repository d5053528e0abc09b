import dataclasses

import gymnasium
import numpy as np
import pytest

from garage_like.data.batches import EnvStep, EpisodeBatch, StepType, TimeStepBatch
from garage_like.data.env_spec import EnvSpec

FIRST, MID, TERMINAL, TIMEOUT = StepType
SPEC = EnvSpec(
    gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32), gymnasium.spaces.Discrete(3), 4
)


def make_batch(**changes):
    """Two episodes, of 2 and 3 steps; the numbers of a row tell the row."""
    rows = np.arange(5)
    arguments = {
        "env_spec": SPEC,
        "episode_infos_by_episode": {"task": {"goal": np.array([[0.0, 1.0], [2.0, 3.0]])}},
        "observations": np.stack([rows, rows], axis=1).astype(np.float32),
        "last_observations": np.array([[10, 10], [20, 20]], np.float32),
        "actions": rows % 3,
        "rewards": rows.astype(float),
        "env_infos": {"success": rows == 4},
        "agent_infos": {"mean": rows[:, None] * 0.5},
        "step_types": np.array([FIRST, TERMINAL, FIRST, MID, TIMEOUT], np.uint8),
        "lengths": np.array([2, 3]),
    }
    return EpisodeBatch(**{**arguments, **changes})


def flat(name, value):
    if not isinstance(value, dict):
        return {name: (value.dtype, value.shape, value.tobytes())}
    return {k: v for key in value for k, v in flat(f"{name}/{key}", value[key]).items()}


def bits(batch):
    return [flat(field.name, getattr(batch, field.name)) for field in dataclasses.fields(batch)[1:]]


@pytest.mark.parametrize(
    ("count", "limit", "terminated", "truncated", "expected"),
    [
        (1, 4, False, False, FIRST),
        (2, 4, False, False, MID),
        (4, 4, False, False, TIMEOUT),
        (4, 4, True, False, TERMINAL),
        (4, 4, True, True, TERMINAL),
        (2, None, False, True, TIMEOUT),
        (900, None, False, False, MID),
        (1, 1, False, False, TIMEOUT),
        (1, None, True, False, TERMINAL),
    ],
)
def test_step_types_tell_termination_from_truncation(count, limit, terminated, truncated, expected):
    assert StepType.get_step_type(count, limit, terminated, truncated) is expected


def test_steps_are_counted_from_one():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        StepType.get_step_type(0, 4, False)


@pytest.mark.parametrize(
    ("kind", "terminal", "timeout", "last"),
    [
        (FIRST, False, False, False),
        (MID, False, False, False),
        (TERMINAL, True, False, True),
        (TIMEOUT, False, True, True),
    ],
)
def test_env_step_tells_how_it_ended(kind, terminal, timeout, last):
    step = EnvStep(SPEC, 0, 1.0, np.zeros(2), {}, kind)
    assert (step.terminal, step.timeout, step.last) == (terminal, timeout, last)


def test_counts_episodes_and_steps():
    assert len(make_batch()) == 2
    assert make_batch().num_steps == 5


def test_next_observations_end_with_the_last_of_each_episode():
    expected = [[1, 1], [10, 10], [3, 3], [4, 4], [20, 20]]
    assert make_batch().next_observations.tolist() == expected


def test_episode_infos_are_repeated_in_the_rows_of_their_episode():
    goals = make_batch().episode_infos["task"]["goal"]
    assert goals.tolist() == [[0, 1]] * 2 + [[2, 3]] * 3


def test_last_step_types_and_slices():
    assert make_batch().last_step_types.tolist() == [TERMINAL, TIMEOUT]
    assert list(make_batch().episode_slices()) == [slice(0, 2), slice(2, 5)]


def test_padded_arrays_hold_zeros_after_the_end():
    batch = make_batch()
    assert batch.valids.tolist() == [[True, True, False], [True] * 3]
    assert batch.padded_rewards.tolist() == [[0, 1, 0], [2, 3, 4]]
    assert batch.padded_actions.tolist() == [[0, 1, 0], [2, 0, 1]]
    assert batch.padded_observations.shape == (2, 3, 2)
    assert batch.padded_observations.dtype == np.float32
    np.testing.assert_array_equal(batch.padded_observations[batch.valids], batch.observations)


def test_everything_of_a_step_can_be_padded():
    batch = make_batch(env_infos={"task": {"goal": np.arange(5)}})
    assert batch.padded_env_infos["task"]["goal"].tolist() == [[0, 1, 0], [2, 3, 4]]
    assert batch.padded_agent_infos["mean"].shape == (2, 3, 1)
    assert batch.padded_step_types.tolist() == [[0, 2, 0], [0, 1, 3]]
    assert batch.padded_next_observations[0].tolist() == [[1, 1], [10, 10], [0, 0]]


def test_split_gives_one_batch_for_each_episode():
    first, second = make_batch().split()
    assert second.rewards.tolist() == [2, 3, 4]
    assert second.last_observations.tolist() == [[20, 20]]
    assert second.episode_infos_by_episode["task"]["goal"].tolist() == [[2, 3]]
    assert first.next_observations.tolist() == [[1, 1], [10, 10]]


def test_concatenating_what_was_split_gives_the_same_batch():
    batch = make_batch()
    assert bits(EpisodeBatch.concatenate(*batch.split())) == bits(batch)


def test_lists_make_the_same_batch_again():
    batch = make_batch()
    assert bits(EpisodeBatch.from_list(SPEC, batch.to_list())) == bits(batch)


def test_concatenation_keeps_the_order_and_fills_missing_infos():
    joined = EpisodeBatch.concatenate(make_batch(), make_batch(env_infos={}))
    assert joined.lengths.tolist() == [2, 3, 2, 3]
    assert joined.env_infos["success"].tolist() == [False] * 4 + [True] + [False] * 5


def test_one_batch_concatenated_is_itself():
    batch = make_batch()
    assert EpisodeBatch.concatenate(batch) is batch


@pytest.mark.parametrize("kind", [EpisodeBatch, TimeStepBatch])
def test_concatenating_nothing_is_an_error(kind):
    with pytest.raises(ValueError, match=r"concatenate: expected at least one batch, got none"):
        kind.concatenate()


def test_list_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="from_list: expected at least one episode, got none"):
        EpisodeBatch.from_list(SPEC, [])


def test_lengths_may_be_a_list():
    assert make_batch(lengths=[2, 3]).padded_rewards.shape == (2, 3)


@pytest.mark.parametrize(
    "name", ["observations", "actions", "rewards", "step_types", "last_observations"]
)
def test_arrays_of_wrong_length_are_named(name):
    with pytest.raises(ValueError, match=rf"EpisodeBatch: {name} must have \d rows, got \d"):
        make_batch(**{name: getattr(make_batch(), name)[:-1]})


@pytest.mark.parametrize(
    ("name", "shown", "rows"),
    [
        ("env_infos", "env_infos", 5),
        ("agent_infos", "agent_infos", 5),
        ("episode_infos_by_episode", "episode_infos", 2),
    ],
)
def test_infos_of_wrong_length_are_named(name, shown, rows):
    with pytest.raises(ValueError, match=rf"{shown}\['a'\]\['b'\] must have {rows} rows, got 3"):
        make_batch(**{name: {"a": {"b": np.ones(3)}}})


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 0], "every episode has at least one step"),
        ([2.0, 3.0], "lengths must be a 1-D integer array"),
        ([[2, 3]], "lengths must be a 1-D integer array"),
        (np.array([], int), "at least one, got"),
    ],
)
def test_impossible_lengths_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        make_batch(lengths=lengths)


@pytest.mark.parametrize("kind", [TERMINAL, TIMEOUT])
def test_episodes_that_go_on_after_their_end_are_refused(kind):
    types = np.array([FIRST, TERMINAL, FIRST, kind, TIMEOUT], np.uint8)
    with pytest.raises(ValueError, match=rf"only an episode's last .* got {kind.name} in row 3"):
        make_batch(step_types=types)


def test_checking_leaves_step_types_alone():
    types = np.array([FIRST, TERMINAL, FIRST, MID, TIMEOUT], np.uint8)
    make_batch(step_types=types)
    assert types.tolist() == [FIRST, TERMINAL, FIRST, MID, TIMEOUT]


def test_fragments_may_end_anywhere():
    batch = make_batch(step_types=np.array([MID, MID, FIRST, MID, MID], np.uint8))
    assert batch.last_step_types.tolist() == [MID, MID]


def test_time_steps_hold_the_rows_of_their_episodes():
    steps = TimeStepBatch.from_episode_batch(make_batch())
    assert len(steps) == 5
    assert steps.next_observations.tolist() == make_batch().next_observations.tolist()
    assert steps.terminals.tolist() == [False, True, False, False, False]
    assert steps.episode_infos["task"]["goal"].shape == (5, 2)


def test_time_steps_are_joined_in_order():
    steps = TimeStepBatch.from_episode_batch(make_batch())
    joined = TimeStepBatch.concatenate(steps, steps)
    assert joined.rewards.tolist() == [0, 1, 2, 3, 4] * 2


def test_time_steps_of_wrong_length_are_named():
    steps = TimeStepBatch.from_episode_batch(make_batch())
    with pytest.raises(ValueError, match="TimeStepBatch: actions must have 5 rows, got 4"):
        dataclasses.replace(steps, actions=steps.actions[:-1])
    with pytest.raises(ValueError, match=r"TimeStepBatch: env_infos\['a'\] must have 5 rows"):
        dataclasses.replace(steps, env_infos={"a": np.ones(2)})
