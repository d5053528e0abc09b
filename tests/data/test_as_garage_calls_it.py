"""Lists, constructors and small functions on data that programs written for garage use."""

import dataclasses
import inspect

import gymnasium
import numpy as np
import pytest

import garage_like
from garage_like import np as gnp
from garage_like.data.batches import EpisodeBatch, StepType, TimeStepBatch
from garage_like.data.time_step import _IN_BATCHES
from garage_like.envs import GymEnv, PointEnv
from garage_like.experiment import Snapshotter
from garage_like.experiment.task_sampler import SetTaskSampler
from garage_like.np.baselines import (
    LinearFeatureBaseline,
    LinearMultiFeatureBaseline,
    ZeroBaseline,
)
from garage_like.np.exploration_policies import ExplorationPolicy
from garage_like.np.policies import FixedPolicy, GaussianMLPPolicy, ScriptedPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler


@pytest.fixture(scope="module")
def episodes():
    env = PointEnv(max_episode_length=3)
    return LocalSampler(GaussianMLPPolicy(env.spec), env).obtain_exact_episodes(2)


def test_a_batch_is_made_of_infos_by_either_name(episodes):
    names = ("observations", "last_observations", "actions", "rewards", "env_infos")
    rest = {n: getattr(episodes, n) for n in (*names, "agent_infos", "step_types", "lengths")}
    infos = {"task": np.arange(2)}
    batch = EpisodeBatch(env_spec=episodes.env_spec, episode_infos=infos, **rest)
    assert batch.episode_infos_by_episode is infos
    assert batch.episode_infos["task"].tolist() == [0] * 3 + [1] * 3
    assert "episode_infos" in inspect.signature(EpisodeBatch).parameters


def test_lists_of_a_batch_are_its_episodes(episodes):
    assert [len(o) for o in episodes.observations_list] == [3, 3]
    assert np.concatenate(episodes.actions_list).tobytes() == episodes.actions.tobytes()
    assert not episodes.terminals.any()
    back = EpisodeBatch.from_list(episodes.env_spec, paths=episodes.to_list())
    assert back.rewards.tobytes() == episodes.rewards.tobytes()


def test_single_steps_and_back(episodes):
    steps = episodes.to_time_step_list()
    assert [s.first for s in steps] == [True, False, False] * 2
    assert [s.mid for s in steps] == [False, True, False] * 2
    assert (steps[2].timeout, steps[2].last, steps[2].terminal) == (True, True, False)
    assert (steps[0].next_observation == steps[1].observation).all()
    batch = TimeStepBatch.from_time_step_list(episodes.env_spec, steps)
    assert batch.observations.tobytes() == episodes.observations.tobytes()
    assert batch.agent_infos.keys() == episodes.agent_infos.keys()
    single = batch.split()
    assert [len(one) for one in single] == [1] * 6
    assert single[4].rewards[0] == batch.rewards[4]


def test_a_step_completes_what_the_environment_returned():
    env = PointEnv()
    observation, info = env.reset()
    step = env.step(np.zeros(2))
    assert (step.first, step.mid) == (True, False)
    whole = garage_like.TimeStep.from_env_step(step, observation, {"mean": 0}, info)
    assert whole.observation is observation
    assert whole.agent_info == {"mean": 0}
    assert StepType.get_step_type(2, 5, done=True) is StepType.TERMINAL
    assert StepType.get_step_type(step_cnt=5, max_episode_length=5, done=False) is StepType.TIMEOUT


def test_arguments_of_an_environment_come_in_garages_order():
    assert GymEnv("CartPole-v1", False, 100).spec.max_episode_length == 100


def test_observations_of_a_dict_come_as_one_array():
    class Both(gymnasium.Env):
        observation_space = gymnasium.spaces.Dict(
            {"a": gymnasium.spaces.Box(0, 1, (2,)), "b": gymnasium.spaces.Discrete(3)}
        )
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return {"a": np.ones(2, np.float32), "b": 1}, {}

    assert GymEnv(Both()).reset()[0].tolist() == [1, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="must come as one array"):
        GymEnv(Both(), flatten_obs=False)


def test_a_path_is_stored_as_garages_buffers_take_it():
    path = {
        "observation": np.arange(6.0).reshape(3, 2),
        "action": np.array([0, 1, 0]),
        "reward": np.ones((3, 1)),
        "next_observation": np.arange(2.0, 8.0).reshape(3, 2),
        "terminal": np.array([[False], [True], [False]]),
    }
    buffer = PathBuffer(capacity_in_transitions=5)
    buffer.add_path(path)
    assert (buffer.n_transitions_stored, buffer.n_paths_stored) == (3, 2)
    assert buffer.sample_timesteps(4).rewards.tolist() == [1.0] * 4
    with pytest.raises(ValueError, match="expected observation, action"):
        buffer.add_path({"observation": np.zeros((1, 2))})


def test_a_snapshotter_of_a_directory_saves_what_it_is_given(tmp_path):
    snapshotter = Snapshotter(str(tmp_path), "all", 1)
    assert (snapshotter.snapshot_mode, snapshotter.snapshot_gap) == ("all", 1)
    assert snapshotter.snapshot_dir == str(tmp_path)
    snapshotter.save_itr_params(4, {"weights": np.arange(3.0)})
    assert Snapshotter().load(tmp_path, 4)["weights"].tolist() == [0.0, 1.0, 2.0]


def test_tasks_may_come_with_a_wrapper():
    made = []

    def wrapper(env, task):
        made.append(task)
        return env

    sampler = SetTaskSampler(PointEnv, wrapper=wrapper)
    env = PointEnv()
    assert [update(env) for update in sampler.sample(2)] == [env, env]
    assert len(made) == 2


def test_policies_that_follow_a_script():
    env = GymEnv("CartPole-v1", max_episode_length=3)
    policy = FixedPolicy(env.spec, [0, 1, 0])
    assert LocalSampler(policy, env).obtain_samples(0, 6).actions.tolist() == [0, 1, 0] * 2
    with pytest.raises(IndexError, match="all of its 3 actions"):
        policy.get_action(None)
    lookup = ScriptedPolicy({0: 2, 1: 3})
    assert lookup.get_actions(np.array([1, 0]))[0].tolist() == [3, 2]


def test_a_baseline_that_knows_nothing(episodes):
    values, last = ZeroBaseline(episodes.env_spec).predict(episodes)
    assert (values.shape, last.shape) == ((6,), (2,))


def test_small_functions_do_what_garages_do():
    assert gnp.discount_cumsum(np.array([1.0, 1.0, 1.0]), 0.5).tolist() == [1.75, 1.5, 1.0]
    flat = gnp.flatten_tensors([np.ones((2, 2)), np.zeros(1)])
    assert [t.shape for t in gnp.unflatten_tensors(flat, [(2, 2), (1,)])] == [(2, 2), (1,)]
    assert gnp.pad_batch_array(np.arange(3), np.array([1, 2])).tolist() == [[0, 0], [1, 2]]
    assert gnp.pad_tensor(np.array([1, 2]), 3, mode="last").tolist() == [1, 2, 2]
    stacked = gnp.stack_tensor_dict_list([{"a": {"b": 1}}, {"a": {"b": 2}}])
    assert stacked["a"]["b"].tolist() == [1, 2]
    assert gnp.slice_nested_dict({"a": np.arange(4)}, 1, 3)["a"].tolist() == [1, 2]
    assert gnp.explained_variance_1d(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 1.0
    assert gnp.sliding_window(np.arange(3), 2).tolist() == [[0, 1], [1, 2]]
    assert gnp.sliding_window(np.arange(3), 2, smear=True).tolist() == [[0, 0], [0, 1], [1, 2]]


def test_modules_have_garages_paths_too():
    from garage_like._dtypes import EpisodeBatch as Batch
    from garage_like._functions import rollout
    from garage_like.experiment.experiment import wrap_experiment
    from garage_like.experiment.snapshotter import SnapshotConfig

    assert Batch is EpisodeBatch
    assert rollout is garage_like.rollout
    assert wrap_experiment is garage_like.wrap_experiment
    assert SnapshotConfig.__name__ == "SnapshotConfig"


def whole(episodes, **other):
    names = ("observations", "last_observations", "actions", "rewards", "env_infos")
    rest = {n: getattr(episodes, n) for n in (*names, "agent_infos", "step_types", "lengths")}
    return EpisodeBatch(**{"env_spec": episodes.env_spec, "episode_infos": {}, **rest, **other})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("observations", lambda b: b.observations[:, :2]),
        ("observations", lambda b: list(b.observations)),
        ("last_observations", lambda b: b.last_observations[:, :1]),
        ("actions", lambda b: b.actions[:, :0]),
        ("rewards", lambda b: b.rewards[:, None]),
        ("step_types", lambda b: b.step_types[:, None]),
        ("step_types", lambda b: b.step_types.astype(np.float32)),
        ("env_infos", lambda b: {"success": list(b.env_infos["success"])}),
        ("episode_infos", lambda b: {"task": [1, 2]}),
    ],
)
def test_arrays_that_do_not_fit_the_environment_are_refused(episodes, name, wrong):
    with pytest.raises(ValueError, match=name):
        whole(episodes, **{name: wrong(episodes)})
    single = TimeStepBatch.from_episode_batch(episodes)
    if hasattr(single, name):
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(single, **{name: wrong(single)})


def test_step_types_come_as_garages_arrays_of_objects(episodes):
    types = np.array([StepType(int(k)) for k in episodes.step_types], dtype=StepType)
    assert whole(episodes, step_types=types).step_types.tolist() == episodes.step_types.tolist()


def test_episodes_come_as_garage_lists_them(episodes):
    lists = episodes.to_list()
    for episode in lists:
        after = episode.pop("next_observations")[-1:]
        episode["observations"] = np.concatenate([episode["observations"], after])
        episode["dones"] = episode.pop("step_types") == StepType.TERMINAL
    back = EpisodeBatch.from_list(episodes.env_spec, lists)
    assert back.last_observations.tobytes() == episodes.last_observations.tobytes()
    assert back.observations.tobytes() == episodes.observations.tobytes()
    assert set(back.step_types.tolist()) == {int(StepType.MID)}
    short = [{**episode, "observations": episode["observations"][:-1]} for episode in lists]
    again = EpisodeBatch.from_list(episodes.env_spec, short)
    assert (again.last_observations[0] == episodes.observations[2]).all()


def test_single_steps_are_dicts_of_rows_too(episodes):
    steps = episodes.to_time_step_list()
    rows = [{name: step[name] for name in _IN_BATCHES} for step in steps]
    assert rows[1]["observations"].shape == (1, 3)
    batch = TimeStepBatch.from_time_step_list(episodes.env_spec, rows)
    assert batch.actions.tobytes() == episodes.actions.tobytes()
    mixed = TimeStepBatch.from_time_step_list(episodes.env_spec, [*rows[:2], *steps[2:]])
    assert mixed.rewards.tolist() == batch.rewards.tolist()
    with pytest.raises(KeyError, match="observations, actions"):
        steps[0]["nothing"]


def test_a_baseline_is_asked_by_paths(episodes):
    paths = [{**path, "returns": np.arange(3.0)} for path in episodes.to_list()]
    one, other = LinearFeatureBaseline(episodes.env_spec), LinearFeatureBaseline(episodes.env_spec)
    one.fit(paths)
    other.fit(episodes, np.arange(3.0).tolist() * 2)
    assert np.allclose(one.predict(paths[0]), other.predict(episodes)[0][:3])
    with pytest.raises(TypeError, match="returns"):
        one.fit(episodes)
    assert ZeroBaseline(episodes.env_spec).predict({"rewards": np.ones(4)}).tolist() == [0.0] * 4
    infos = {"env_infos": {"one": np.ones(3), "two": np.ones(3), "three": np.ones(3)}}
    alike = one.predict(paths[0])  # though there are as many infos as steps
    assert one.predict({**paths[0], **infos}).tolist() == alike.tolist()


def test_scripts_and_dicts_in_garages_forms():
    policy = FixedPolicy(PointEnv().spec, np.array([1, 2]), agent_infos={"a": np.array([3, 4])})
    assert [policy.get_action(None) for _ in range(2)] == [(1, {"a": 3}), (2, {"a": 4})]
    assert ScriptedPolicy([1, 5]).get_action(1) == (5, {})
    joined = gnp.concat_tensor_dict_list([{"a": np.ones(1)}, {"a": np.ones(1), "b": np.ones(1)}])
    assert {key: len(value) for key, value in joined.items()} == {"a": 2, "b": 1}
    with pytest.raises(NotImplementedError, match="longer than 2 rows"):
        gnp.sliding_window(np.arange(2), 3)


def test_a_baseline_of_several_features_follows_what_it_can_see(episodes):
    steps = np.arange(6.0)
    seen = whole(episodes, agent_infos={"latent": steps[:, None] % 3})
    names = ["observations", "latents"]
    baseline = LinearMultiFeatureBaseline(seen.env_spec, features=names, reg_coeff=1e-9)
    assert not np.any(baseline.predict(seen)[0])
    baseline.fit(seen, (steps % 3) ** 2)
    values, last = baseline.predict(seen)
    assert np.allclose(values, [0, 1, 4] * 2, atol=1e-3)
    assert last.shape == (2,)
    twin = LinearMultiFeatureBaseline(seen.env_spec, features=names)
    twin.set_param_values(baseline.get_param_values())
    assert np.allclose(twin.predict(seen)[0], values)
    paths = [{**path, "latents": np.ones((3, 1)), "returns": np.ones(3)} for path in seen.to_list()]
    twin.fit(paths)
    assert np.allclose(twin.predict(paths[0]), 1.0, atol=1e-3)
    with pytest.raises(ValueError, match="there is no 'tasks'"):
        LinearMultiFeatureBaseline(seen.env_spec, ["tasks"]).fit(seen, steps)


def test_exploration_of_ones_own_is_written_as_in_garage(episodes):
    class Opposite(ExplorationPolicy):
        def get_action(self, observation):
            action, infos = self.policy.get_action(observation)
            return -action, infos

        def get_actions(self, observations):
            actions, infos = self.policy.get_actions(observations)
            return -actions, infos

    env = PointEnv(max_episode_length=3)
    policy = Opposite(FixedPolicy(env.spec, [np.full(2, 0.05)] * 3))
    assert policy.env_spec is env.spec
    assert np.allclose(LocalSampler(policy, env).obtain_samples(0, 3).actions, -0.05)
    neither = type("Neither", (ExplorationPolicy,), {})
    with pytest.raises(NotImplementedError, match="Neither must define get_actions"):
        neither(policy.policy).get_action(np.zeros(3))


def test_a_rollout_says_where_it_was_done():
    env = PointEnv(goal=(0.1, 0.0))
    policy = FixedPolicy(env.spec, [np.array([0.05, 0.0]), np.array([0.05, 0.0])])
    assert garage_like.rollout(env, policy)["dones"].tolist()[-1]
    assert env.render("ascii").startswith("Point: [")
    assert env.render_modes == ["ascii"]
    with pytest.raises(ValueError, match="'ascii', got 'rgb_array'"):
        env.render("rgb_array")
