import numpy as np
import pytest

from garage_like.envs import GymEnv, check_env
from garage_like.envs.copy import copy_env

tasks = pytest.importorskip("garage_like.envs.mujoco")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def stepped(env):
    env.reset(seed=3)
    return env.step(np.full(6, 0.5))


@pytest.mark.parametrize(
    ("cls", "task", "reward_of"),
    [
        (tasks.HalfCheetahDirEnv, {"direction": -1.0}, lambda velocity: -velocity),
        (tasks.HalfCheetahVelEnv, {"velocity": 1.5}, lambda velocity: -abs(velocity - 1.5)),
    ],
)
def test_reward_depends_on_the_task(cls, task, reward_of):
    _, reward, _, _, infos = stepped(cls(task=task))
    assert infos["reward_forward"] == reward_of(infos["x_velocity"])
    assert reward == infos["reward_forward"] + infos["reward_ctrl"]
    env = cls()
    env.set_task(task)
    assert stepped(env)[1] == reward


def test_tasks_are_those_of_the_paper():
    directions = {task["direction"] for task in tasks.HalfCheetahDirEnv().sample_tasks(20)}
    assert directions == {-1.0, 1.0}
    velocities = [task["velocity"] for task in tasks.HalfCheetahVelEnv().sample_tasks(50)]
    assert 0 <= min(velocities) < 0.3
    assert 1.7 < max(velocities) <= 2.0


def test_copies_have_the_task_and_snapshots_are_exact():
    env = GymEnv(tasks.HalfCheetahVelEnv(task={"velocity": 1.5}), max_episode_length=9)
    assert stepped(copy_env(env)).reward == stepped(env).reward
    assert check_env(env).mode == "exact"


def test_a_task_of_another_family_is_refused():
    with pytest.raises(ValueError, match=r"expected {'velocity': number}, got {'direction': 1.0}"):
        tasks.HalfCheetahVelEnv().set_task({"direction": 1.0})
