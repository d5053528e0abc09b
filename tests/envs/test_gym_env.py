import subprocess
import sys

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from garage_like import seeding
from garage_like.data.batches import StepType
from garage_like.envs import GymEnv


class Scripted(gymnasium.Env):
    """Terminates or truncates itself at given steps; observations count steps."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = spaces.Discrete(2)

    def __init__(self, terminates_at=None, truncates_at=None, render_mode=None):
        self.terminates_at, self.truncates_at = terminates_at, truncates_at
        self.render_mode = render_mode
        self.buffer = np.zeros(1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        self.buffer[:] = 0
        return self.buffer, {"seed": seed}

    def step(self, action):
        self.count += 1
        self.buffer[:] = self.count
        ends = self.count == self.terminates_at, self.count == self.truncates_at
        return self.buffer, np.float32(0.5), *ends, {"count": self.count}

    def render(self):
        return f"step {self.count}"


class Nested(Scripted):
    observation_space = spaces.Dict(
        {"place": spaces.Discrete(3), "speed": spaces.Box(-1, 1, (2,), np.float32)}
    )

    def reset(self, *, seed=None, options=None):
        return {"place": 1, "speed": np.array([0.5, -0.5], np.float32)}, {}

    def step(self, action):
        return {"place": 2, "speed": np.zeros(2, np.float32)}, 0.0, False, False, {}


def step_types(env, steps):
    env.reset()
    return [env.step(0).step_type for _ in range(steps)]


def test_keeps_the_time_limit_of_gymnasium():
    assert GymEnv("CartPole-v1").spec.max_episode_length == 500
    assert GymEnv(gymnasium.make("Pendulum-v1")).spec.max_episode_length == 200
    assert GymEnv(Scripted()).spec.max_episode_length is None


def test_keeps_the_time_limit_of_an_unregistered_environment():
    env = GymEnv(gymnasium.wrappers.TimeLimit(Scripted(), 3))
    assert env.spec.max_episode_length == 3
    assert step_types(env, 3) == [StepType.FIRST, StepType.MID, StepType.TIMEOUT]


@pytest.mark.parametrize("length", [150, 250, np.int64(7)])
def test_own_limit_replaces_that_of_a_registered_environment(length):
    env = GymEnv("Pendulum-v1", max_episode_length=length)
    assert env.spec.max_episode_length == length
    env.reset()
    kinds = [env.step(np.zeros(1)).step_type for _ in range(length)]
    assert kinds[-1] == StepType.TIMEOUT
    assert all(kind < StepType.TERMINAL for kind in kinds[:-1])


@pytest.mark.parametrize("length", [2, 6])
def test_own_limit_replaces_a_limit_below_other_wrappers(length):
    inner = gymnasium.wrappers.TimeLimit(Scripted(), 4)
    statistics = gymnasium.wrappers.RecordEpisodeStatistics(inner)
    env = GymEnv(statistics, max_episode_length=length)
    env.reset()
    steps = [env.step(0) for _ in range(length)]
    assert steps[-1].step_type == StepType.TIMEOUT
    # The wrapper above the limit saw the end of the episode as well.
    assert steps[-1].env_info["episode"]["l"] == length
    assert env.gym_env is statistics


def test_own_limit_on_an_environment_without_one():
    assert step_types(GymEnv(Scripted(), max_episode_length=2), 2)[-1] == StepType.TIMEOUT


def test_limit_of_one_step_gives_a_timeout_at_once():
    assert step_types(GymEnv(Scripted(), max_episode_length=1), 1) == [StepType.TIMEOUT]


def test_termination_wins_at_the_horizon():
    env = GymEnv(Scripted(terminates_at=3), max_episode_length=3)
    assert step_types(env, 3)[-1] == StepType.TERMINAL


def test_termination_wins_over_truncation_by_the_environment():
    assert step_types(GymEnv(Scripted(3, 3)), 3)[-1] == StepType.TERMINAL


def test_truncation_by_the_environment_is_a_timeout():
    assert step_types(GymEnv(Scripted(truncates_at=2)), 2) == [StepType.FIRST, StepType.TIMEOUT]


def test_env_step_holds_what_the_environment_returned():
    env = GymEnv(Scripted())
    env.reset()
    step = env.step(1)
    assert step.env_spec is env.spec
    assert (step.action, step.reward, step.env_info) == (1, 0.5, {"count": 1})
    assert type(step.reward) is float
    assert step.observation.dtype == np.float64


def test_observations_survive_an_environment_that_reuses_its_buffer():
    env = GymEnv(Scripted())
    seen = [env.reset()[0], *(env.step(0).observation for _ in range(3))]
    assert np.concatenate(seen).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "dtype"), [("CartPole-v1", "float32"), ("FrozenLake-v1", "int64")]
)
def test_observations_keep_their_dtype(name, dtype):
    observation, _ = GymEnv(name).reset()
    assert isinstance(observation, np.ndarray)
    assert observation.dtype == dtype


def test_step_before_reset_is_an_error():
    with pytest.raises(RuntimeError, match=r"no episode to continue .* call reset\(\) first"):
        GymEnv("CartPole-v1").step(0)


def test_step_after_the_end_is_an_error():
    env = GymEnv(Scripted(terminates_at=1))
    env.reset()
    env.step(0)
    with pytest.raises(RuntimeError, match=r"the last one has ended\); call reset\(\) first"):
        env.step(0)


def test_needs_reset_until_it_is_reset_and_again_at_the_end():
    env = GymEnv(Scripted(terminates_at=2))
    seen = [env.needs_reset]
    env.reset()
    seen.append(env.needs_reset)
    for _ in range(2):
        env.step(0)
        seen.append(env.needs_reset)
    assert seen == [True, False, False, True]


def test_seed_repeats_episodes_and_sampled_actions():
    def play():
        env = GymEnv("Pendulum-v1")
        first, _ = env.reset(seed=5)
        later, _ = env.reset()
        return first, later, env.action_space.sample(), env.observation_space.sample()

    for one, other in zip(play(), play(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_first_reset_seeds():
    env = GymEnv(Scripted())
    assert [env.reset()[1]["seed"] is None for _ in range(3)] == [False, True, True]


def test_first_reset_takes_the_seed_of_the_run():
    def first():
        return GymEnv("CartPole-v1").reset()[0].tolist()

    seeding.set_seed(1)
    one, other = first(), first()
    seeding.set_seed(2)
    assert one == other != first()


def test_sampled_actions_do_not_repeat_the_numbers_of_the_first_state():
    env = GymEnv("CartPole-v1")
    state = env.reset(seed=3)[0]
    draws = env.action_space.np_random.uniform(-0.05, 0.05, 4).astype(np.float32)
    assert not np.isin(state, draws).any()


def test_needs_no_global_random_numbers():
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    env = GymEnv("CartPole-v1")
    env.reset()
    env.step(0)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "Acrobot-v1"])
def test_pickle_continues_in_the_middle_of_an_episode(name):
    env = GymEnv(name)
    env.reset(seed=4)
    for _ in range(5):
        env.step(env.action_space.sample())
    twin = cloudpickle.loads(cloudpickle.dumps(env))
    for _ in range(300):
        ours, theirs = env.step(env.action_space.sample()), twin.step(twin.action_space.sample())
        assert ours.observation.tobytes() == theirs.observation.tobytes()
        assert (ours.reward, ours.step_type) == (theirs.reward, theirs.step_type)
        if ours.last:
            assert env.reset()[0].tobytes() == twin.reset()[0].tobytes()


@pytest.mark.parametrize("asked", [{"flatten_obs": True}, {}])
def test_nested_observations_are_flattened_unless_that_is_refused(asked):
    env = GymEnv(Nested(), **asked)
    assert env.spec.observation_space.shape == (5,)
    assert env.reset()[0].tolist() == [0, 1, 0, 0.5, -0.5]
    assert env.step(0).observation.tolist() == [0, 0, 1, 0, 0]


def test_nested_observations_are_refused_otherwise():
    with pytest.raises(ValueError, match=r"space is Dict.*flatten_obs=True"):
        GymEnv(Nested(), flatten_obs=False)


def test_vector_environment_stands_for_as_many_as_it_has():
    vector = gymnasium.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")
    env = GymEnv(vector)
    assert env.n_envs == 2
    assert env.observation_space == vector.single_observation_space
    assert GymEnv("CartPole-v1").n_envs == 1


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match=r"gymnasium.Env or the id of one, got 3 of type"):
        GymEnv(3)
    with pytest.raises(TypeError, match=r"of type garage_like\.envs\.gym_env\.GymEnv"):
        GymEnv(GymEnv("CartPole-v1"))


@pytest.mark.parametrize(
    ("length", "error"), [(0, ValueError), (2.5, TypeError), (True, TypeError)]
)
def test_bad_limits_are_refused(length, error):
    with pytest.raises(error, match="GymEnv: max_episode_length must be"):
        GymEnv("CartPole-v1", max_episode_length=length)


def test_arguments_for_make_are_passed_on_with_an_id():
    env = GymEnv("CartPole-v1", sutton_barto_reward=True)
    env.reset()
    assert env.step(0).reward == 0.0


def test_arguments_for_make_are_refused_with_a_made_environment():
    with pytest.raises(TypeError, match="GymEnv: goal, render_mode can only be given with an env"):
        GymEnv(Scripted(), goal=1, render_mode="rgb_array")


def test_image_flag_needs_image_observations():
    with pytest.raises(ValueError, match="is_image=True needs uint8 observations"):
        GymEnv("CartPole-v1", is_image=True)
    env = Scripted()
    env.observation_space = spaces.Box(0, 255, (4, 4, 3), np.uint8)
    assert GymEnv(env, is_image=True).is_image


def test_renders_in_the_mode_that_it_was_made_with():
    env = GymEnv(Scripted(render_mode="ansi"))
    env.reset()
    env.step(0)
    assert env.render_mode == "ansi"
    assert env.render("ansi") == "step 1"


def test_renders_in_any_mode_that_the_environment_knows(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = GymEnv("CartPole-v1")
    env.reset()
    assert env.render("rgb_array").shape[-1] == 3
    assert env.render_mode is None
    with pytest.raises(ValueError, match=r"one of \['human', 'rgb_array'\], got 'ascii'"):
        env.render("ascii")
    env.close()


def test_an_environment_that_was_made_to_show_nothing_can_be_shown(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = GymEnv("CartPole-v1")
    env.reset()
    env.visualize()
    assert env.render_mode == "human"
    assert env.step(0).reward == 1.0
    env.close()


def test_what_has_no_window_says_so():
    env = GymEnv(Scripted(render_mode="ansi"))
    env.reset()
    with pytest.raises(RuntimeError, match="Scripted has no window"):
        env.visualize()


def test_close_closes_the_environment():
    class Closing(Scripted):
        closed = False

        def close(self):
            self.closed = True

    env = GymEnv(Closing())
    env.close()
    assert env.gym_env.closed


def test_passes_actions_on_as_they_come():
    class Remembering(Scripted):
        def step(self, action):
            self.action = action
            return super().step(action)

    env = GymEnv(Remembering())
    env.reset()
    action = np.int64(1)
    assert env.step(action).action is action
    assert env.gym_env.action is action


def test_spaces_that_a_wrapper_hides_are_seeded_too():
    def drawn():
        inner = gymnasium.make("Pendulum-v1")
        env = GymEnv(gymnasium.wrappers.FrameStackObservation(inner, 3))
        env.reset(seed=4)
        hidden = inner.observation_space.sample()
        return env.observation_space.sample().tobytes(), hidden.tobytes()

    assert drawn() == drawn()


def test_reward_that_is_an_array_of_one_number_is_that_number():
    class Rewarding(gymnasium.Wrapper):
        def step(self, action):
            observation, reward, *rest = super().step(action)
            return observation, np.array([reward]), *rest

    env = GymEnv(Rewarding(gymnasium.make("CartPole-v1")))
    env.reset(seed=1)
    assert env.step(1).reward == 1.0


def test_games_of_atari_are_found_without_an_import_of_their_package():
    pytest.importorskip("ale_py")
    code = (
        "import sys\n"
        "from garage_like.envs import GymEnv\n"
        "assert 'ale_py' not in sys.modules\n"
        "print(GymEnv('PongNoFrameskip-v4').observation_space.shape)\n"
        "print(GymEnv('ALE/Pong-v5', obs_type='ram').observation_space.shape)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.stdout.split("\n")[:2] == ["(210, 160, 3)", "(128,)"], ran.stderr
    with pytest.raises(gymnasium.error.UnregisteredEnv, match="CartPol"):
        GymEnv("CartPol-v1")
