import cloudpickle
import pytest

from garage_like.data.batches import StepType
from garage_like.envs import GridWorldEnv
from garage_like.envs.grid_world_env import MAPS

LEFT, DOWN, RIGHT, UP = range(4)


def walk(env, actions):
    env.reset()
    return [env.step(action) for action in actions]


def shortest_way(env):
    """Return the least number of steps to the goal, found breadth first."""
    ways, seen = [[]], {int(env.reset()[0])}
    while ways:
        way = ways.pop(0)
        for action in range(4):
            last = walk(env, [*way, action])[-1]
            if last.env_info["success"]:
                return len(way) + 1
            if not last.last and int(last.observation) not in seen:
                seen.add(int(last.observation))
                ways.append([*way, action])
    return None


@pytest.mark.parametrize(
    ("name", "steps"), [("chain", 5), ("4x4_safe", 6), ("4x4", 6), ("8x8", 14)]
)
def test_every_map_has_a_way_to_the_goal(name, steps):
    assert shortest_way(GridWorldEnv(name)) == steps


def test_every_named_map_is_tested():
    assert set(MAPS) == {"chain", "4x4_safe", "4x4", "8x8"}


def test_goal_gives_reward_and_terminates():
    *before, last = walk(GridWorldEnv(["S.G"]), [RIGHT, RIGHT])
    assert (before[0].reward, before[0].step_type) == (0.0, StepType.FIRST)
    assert (last.reward, last.step_type) == (1.0, StepType.TERMINAL)
    assert last.env_info["success"]


def test_hole_terminates_without_reward():
    last = walk(GridWorldEnv(["SH", ".G"]), [RIGHT])[-1]
    assert (last.reward, last.step_type) == (0.0, StepType.TERMINAL)
    assert not last.env_info["success"]


def test_walls_and_edges_stop_moves():
    env = GridWorldEnv(["SW", ".G"])
    assert [int(s.observation) for s in walk(env, [RIGHT, LEFT, UP, DOWN])] == [0, 0, 0, 2]


def test_limit_is_a_timeout():
    kinds = [step.step_type for step in walk(GridWorldEnv(max_episode_length=3), [LEFT] * 3)]
    assert kinds == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]


def test_render_marks_the_place():
    env = GridWorldEnv(["S.", ".G"])
    walk(env, [RIGHT])
    assert env.render() == " S [.]\n .  G "
    with pytest.raises(ValueError, match="mode must be 'ansi', got 'human'"):
        env.render("human")


def test_pickle_continues_in_the_middle_of_an_episode():
    env = GridWorldEnv("8x8", max_episode_length=4)
    walk(env, [RIGHT, DOWN])
    twin = cloudpickle.loads(cloudpickle.dumps(env))
    assert [int(twin.step(a).observation) for a in (DOWN, RIGHT)] == [
        int(env.step(a).observation) for a in (DOWN, RIGHT)
    ]
    assert twin.needs_reset == env.needs_reset == True  # noqa: E712


def test_steps_that_cannot_be_are_errors():
    env = GridWorldEnv()
    with pytest.raises(RuntimeError, match=r"GridWorldEnv.step: .* call reset\(\) first"):
        env.step(0)
    env.reset()
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 4\), got 4"):
        env.step(4)


@pytest.mark.parametrize(
    ("desc", "message"),
    [
        ("5x5", "desc must be one of chain, 4x4_safe, 4x4, 8x8 or a list of rows, got '5x5'"),
        (["S.", "G"], "all rows of desc must be as long as the first"),
        ([], "all rows of desc"),
        (["S.X"], "desc must have squares S, G, H, W, F and"),
        (["..G"], "one of them S"),
    ],
)
def test_bad_maps_are_refused(desc, message):
    with pytest.raises(ValueError, match=message):
        GridWorldEnv(desc)
