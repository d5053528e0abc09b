import cloudpickle
import numpy as np
import pytest

from garage_like.data.batches import StepType
from garage_like.envs import GymEnv, PointEnv, normalize
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.sampler.fragment_worker import EpisodeSoFar

FIRST, MID, TERMINAL, TIMEOUT = StepType


@pytest.fixture
def worker(parts):
    def make(env, policy=None, n_envs=1, **kwargs):
        made = FragmentWorker(n_envs=n_envs, **kwargs)
        made.update_agent(policy or parts.ConstantPolicy())
        made.update_env(env)
        return made

    return make


def test_episodes_go_on_from_call_to_call(worker, parts):
    made = worker(parts.ScriptedEnv([3]))
    batches = [made.obtain_samples(2) for _ in range(3)]
    assert [b.step_types.tolist() for b in batches] == [
        [FIRST, MID],
        [TERMINAL, FIRST],
        [MID, TERMINAL],
    ]
    assert [b.lengths.tolist() for b in batches] == [[2], [1, 1], [2]]
    assert batches[1].observations.tolist() == [[0, 2], [1, 0]]
    assert batches[2].observations.tolist() == [[1, 1], [1, 2]]
    assert [b.last_observations.tolist() for b in batches] == [
        [[0, 2]],
        [[0, 3], [1, 1]],
        [[1, 3]],
    ]


def test_episode_infos_tell_the_episode_so_far(worker, parts):
    made = worker(parts.ScriptedEnv([3]))
    infos = [made.obtain_samples(2).episode_infos_by_episode for _ in range(3)]
    assert [i["EpisodeLength"].tolist() for i in infos] == [[2], [3, 1], [3]]
    assert [i["EpisodeReturn"].tolist() for i in infos] == [[3], [6, 1], [6]]
    assert [i["episode"].tolist() for i in infos] == [[0], [0, 1], [1]]


def test_collects_as_many_steps_from_each_environment(worker, parts):
    made = worker(parts.ScriptedEnv([3, 50]), n_envs=4)
    batch = made.obtain_samples(20)
    assert batch.num_steps == 20
    assert np.bincount(batch.agent_infos["row"]).tolist() == [5] * 4


@pytest.mark.parametrize(("wanted", "got"), [(1, 12), (12, 12), (13, 24)])
def test_rounds_up_to_whole_calls(worker, parts, wanted, got):
    made = worker(parts.ScriptedEnv([100]), n_envs=4, timesteps_per_call=3)
    assert made.obtain_samples(wanted).num_steps == got


def test_limit_counts_the_steps_of_earlier_calls(worker, parts):
    made = worker(parts.ScriptedEnv([100]), max_episode_length=3)
    kinds = np.concatenate([made.obtain_samples(2).step_types for _ in range(3)])
    assert kinds.tolist() == [FIRST, MID, TIMEOUT, FIRST, MID, TIMEOUT]


def test_fragments_put_together_are_the_episodes_of_one_call(worker, parts):
    def make():
        policy = parts.MlpPolicy(GymEnv("CartPole-v1").spec)
        return worker(GymEnv("CartPole-v1"), policy, n_envs=2, seed=3)

    def of_column(batch, column):
        return batch.observations[batch.agent_infos["row"] == column]

    in_pieces, at_once = make(), make()
    pieces = [in_pieces.obtain_samples(10) for _ in range(20)]
    whole = at_once.obtain_samples(200)
    assert len(whole) > 4
    for column in range(2):
        ours = np.concatenate([of_column(piece, column) for piece in pieces])
        assert ours.tobytes() == of_column(whole, column).tobytes()


def envs():
    yield "CartPole-v1", lambda: GymEnv("CartPole-v1")
    yield "PointEnv", lambda: PointEnv(goal=(0.4, 0.2), max_episode_length=30)
    yield "normalized", lambda: normalize(GymEnv("Pendulum-v1"), normalize_obs=True)


@pytest.mark.parametrize("make_env", [pytest.param(make, id=name) for name, make in envs()])
def test_pickle_continues_in_the_middle_of_episodes(parts, same_batch, make_env):
    env = make_env()
    policy = parts.MlpPolicy(env.spec)
    sampler = LocalSampler(
        policy, env, worker_class=FragmentWorker, worker_args={"n_envs": 3}, n_workers=2, seed=1
    )
    sampler.obtain_samples(0, 100)
    twin, twin_policy = cloudpickle.loads(cloudpickle.dumps((sampler, policy)))
    assert twin_policy is not policy
    for itr in range(1, 6):
        ours, theirs = sampler.obtain_samples(itr, 100), twin.obtain_samples(itr, 100)
        assert same_batch(ours, theirs)
    assert (ours.step_types[ours.ends - ours.lengths] == MID).any()


def test_environment_that_needs_a_reset_begins_a_new_episode(worker, parts):
    made = worker(parts.ScriptedEnv([5]), n_envs=2)
    made.obtain_samples(4)
    made._envs[1].needs_reset = True
    batch = made.obtain_samples(4)
    assert batch.step_types.tolist() == [MID, MID, FIRST, MID]
    assert batch.episode_infos_by_episode["EpisodeLength"].tolist() == [4, 2]
    assert batch.observations[:, 0].tolist() == [0, 0, 1, 1]


def test_whole_episodes_give_up_those_that_go_on(worker, parts):
    made = worker(parts.ScriptedEnv([3, 4, 5, 6]), n_envs=2)
    made.obtain_samples(2)
    batch = made.obtain_episodes(2)
    assert batch.lengths.tolist() == [4, 4]
    assert batch.observations[0].tolist() == [1, 0]
    assert made.obtain_samples(2).step_types.tolist() == [FIRST, FIRST]


def test_changing_the_environment_gives_up_episodes(worker, parts):
    made = worker(parts.ScriptedEnv([50]), n_envs=2)
    made.obtain_samples(6)
    made.update_env(parts.ScriptedEnv([50]))
    assert made.obtain_samples(2).step_types.tolist() == [FIRST, FIRST]


def test_first_observation_of_a_fragment_is_not_overwritten_by_later_steps(worker, parts):
    made = worker(parts.ScriptedEnv([9]))
    made.obtain_samples(3)
    assert made.obtain_samples(3).observations.tolist() == [[0, 3], [0, 4], [0, 5]]


def test_timesteps_per_call_must_be_positive():
    with pytest.raises(ValueError, match="FragmentWorker: timesteps_per_call must be at least 1"):
        FragmentWorker(timesteps_per_call=0)


@pytest.mark.parametrize("kept", ["objects", "tuples"])
def test_episodes_that_go_on_load_as_older_snapshots_have_them(kept):
    worker = FragmentWorker(seed=0, max_episode_length=None, worker_number=0, n_envs=2)
    worker._going_on = {1: EpisodeSoFar({"a": 1}, 3, 2.5), 0: EpisodeSoFar()}
    state = worker.__getstate__()
    other = FragmentWorker(seed=0, max_episode_length=None, worker_number=0, n_envs=2)
    other.__setstate__(state)
    assert list(other._going_on.items()) == list(worker._going_on.items())
    as_tuples = {0: ({}, 0, 0.0), 1: ({"a": 1}, 3, 2.5)}
    other.__setstate__({**state, "_going_on": as_tuples if kept == "tuples" else worker._going_on})
    assert other._going_on == worker._going_on
