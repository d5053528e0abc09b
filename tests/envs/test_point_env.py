import cloudpickle
import numpy as np
import pytest

from garage_like import seeding
from garage_like.data.batches import StepType
from garage_like.envs import PointEnv


def walk(env, steps, action=(0.1, 0.1)):
    env.reset()
    return [env.step(np.array(action, np.float32)) for _ in range(steps)]


def test_observation_holds_position_and_distance():
    env = PointEnv(goal=(0.3, 0.4))
    assert env.reset()[0].tolist() == pytest.approx([0.0, 0.0, 0.5])
    step = env.step(np.array([0.1, 0.0]))
    assert step.observation.tolist() == pytest.approx([0.1, 0.0, np.hypot(0.2, 0.4)])
    assert step.reward == pytest.approx(-np.hypot(0.2, 0.4))


def test_reaching_the_goal_terminates_with_the_bonus():
    *before, last = walk(PointEnv(goal=(0.3, 0.3), done_bonus=7.0), 3)
    assert [step.env_info["success"] for step in before] == [False, False]
    assert last.env_info["success"]
    assert last.step_type == StepType.TERMINAL
    assert last.reward == pytest.approx(7.0, abs=1e-6)


def test_never_done_goes_on_at_the_goal():
    last = walk(PointEnv(goal=(0.3, 0.3), never_done=True), 4)[-2]
    assert last.env_info["success"]
    assert last.step_type == StepType.MID


def test_limit_is_a_timeout_and_the_goal_at_the_limit_terminates():
    assert walk(PointEnv(max_episode_length=2), 2)[-1].step_type == StepType.TIMEOUT
    at_goal = PointEnv(goal=(0.2, 0.2), max_episode_length=2)
    assert walk(at_goal, 2)[-1].step_type == StepType.TERMINAL


def test_actions_are_clipped_and_the_arena_has_walls():
    step = walk(PointEnv(goal=(-0.15, 0.0), arena_size=0.25), 4, action=(9.0, 0.0))[-1]
    assert step.observation[0] == np.float32(0.25)


def test_tasks_repeat_by_seed_and_move_the_goal():
    env, twin = PointEnv(), PointEnv()
    env.reset(seed=3)
    twin.reset(seed=3)
    tasks, same = env.sample_tasks(5), twin.sample_tasks(5)
    assert [t["goal"].tolist() for t in tasks] == [t["goal"].tolist() for t in same]
    assert all((np.abs(task["goal"]) <= 2.0).all() for task in tasks)
    env.set_task(tasks[0])
    np.testing.assert_array_equal(env.reset()[1]["goal"], tasks[0]["goal"])


def test_unseeded_tasks_come_from_the_seed_of_the_run():
    seeding.set_seed(8)
    one, other = PointEnv().sample_tasks(1), PointEnv().sample_tasks(1)
    assert one[0]["goal"].tolist() == other[0]["goal"].tolist()


def test_changing_the_callers_goal_afterwards_changes_nothing():
    goal = np.ones(2, np.float32)
    env = PointEnv(goal=goal)
    goal[:] = 0
    assert env.reset()[1]["goal"].tolist() == [1.0, 1.0]


def test_pickle_continues_in_the_middle_of_an_episode():
    env = PointEnv(max_episode_length=9)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    twin = cloudpickle.loads(cloudpickle.dumps(env))
    for _ in range(8):
        ours, theirs = env.step(env.action_space.sample()), twin.step(twin.action_space.sample())
        assert ours.observation.tobytes() == theirs.observation.tobytes()
        assert ours.step_type == theirs.step_type
    assert ours.step_type == StepType.TIMEOUT
    assert env.sample_tasks(1)[0]["goal"].tolist() == twin.sample_tasks(1)[0]["goal"].tolist()


def test_step_without_an_episode_is_an_error():
    with pytest.raises(RuntimeError, match=r"PointEnv.step: .* call reset\(\) first"):
        PointEnv().step(np.zeros(2))


@pytest.mark.parametrize("goal", [(9.0, 0.0), (1.0,), (np.nan, 0.0)])
def test_goals_outside_the_arena_are_refused(goal):
    with pytest.raises(ValueError, match="goal must be two numbers of at most arena_size=5"):
        PointEnv(goal=goal)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="arena_size must be positive"):
        PointEnv(arena_size=0)
    with pytest.raises(ValueError, match="PointEnv: max_episode_length must be at least 1"):
        PointEnv(max_episode_length=-1)
