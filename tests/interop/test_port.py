"""`garage-like port`: what scripts become, what is listed, and that once is enough."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from garage_like.cli import main

pytest.importorskip("libcst")
from garage_like.interop.port_facts import DEFAULTS
from garage_like.interop.port_names import find, unknown_arguments
from garage_like.interop.port_rewriting import port_source


def ported(source: str) -> str:
    result = port_source(source)
    assert port_source(result.code).code == result.code, "a second run changes nothing"
    return result.code


def left(source: str) -> list[tuple[int, str]]:
    return port_source(source).left


def test_a_script_that_knows_neither_garage_nor_gym_stays_as_it_is() -> None:
    source = "import numpy\nid = 'CartPole-v0'\nobs, r, done, info = env.step(0)\n"
    assert ported(source) == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from garage import wrap_experiment", "from garage_like import wrap_experiment"),
        ("import gym", "import gymnasium as gym"),
        ("import gym as g", "import gymnasium as g"),
        ("import garage", "import garage_like as garage"),
        ("from gym.spaces import Box", "from gymnasium.spaces import Box"),
        ("from garage._dtypes import StepType", "from garage_like import StepType"),
        ("from dowel import logger, tabular", "from garage_like.logging import logger, tabular"),
        (
            "from garage.experiment import LocalRunner, SnapshotConfig",
            "from garage_like import Trainer as LocalRunner; "
            "from garage_like.experiment import SnapshotConfig",
        ),
        ("from garage.envs import GymEnv  # why", "from garage_like.envs import GymEnv  # why"),
    ],
)
def test_names_come_from_where_they_are_here(source: str, expected: str) -> None:
    garage = "from garage import EnvSpec\n"
    assert ported(garage + source + "\n").splitlines()[1] == expected


def test_what_there_is_not_is_listed_with_its_line() -> None:
    source = (
        "from garage.envs import GymEnv\n"
        "from garage.envs import Nowhere\n"
        "from garage.sampler import LocalSampler\n"
        "s = LocalSampler(agents=p, envs=e, is_tf_worker=True, colour=3)\n"
    )
    assert left(source) == [
        (2, "garage_like.envs has no Nowhere"),
        (4, "LocalSampler takes no argument colour"),
    ]


def test_ids_are_brought_up_to_date() -> None:
    source = "from garage.envs import GymEnv\nenv = GymEnv('HalfCheetah-v2')\n"
    assert "GymEnv('HalfCheetah-v5')" in ported(source)


def test_games_of_atari_are_in_a_package_of_their_own() -> None:
    assert '"ale_py:PongNoFrameskip-v4"' in ported('import gym\ngym.make("PongNoFrameskip-v4")\n')
    source = "import gym\ngym.make('Pong-v0', render_mode=None)\n"
    assert "gym.make('ale_py:Pong-v0', render_mode=None)" in ported(source)
    source = "import gym\ngym.make('Doom-v0')\n"
    assert "gym.make('Doom-v0')" in ported(source)


def test_tasks_of_robots_are_those_of_their_package() -> None:
    source = "from garage.envs import GymEnv\nenv = GymEnv('FetchPushDense-v1')\n"
    assert "GymEnv('gymnasium_robotics:FetchPushDense-v4')" in ported(source)


@pytest.mark.parametrize(
    ("env_id", "made"),
    [
        ("Alien-ram-v4", "'ale_py:Alien-v4', obs_type=\"ram\""),
        ("PongDeterministic-v4", "'ale_py:Pong-v4', frameskip=4"),
        ("Pong-ramDeterministic-v0", "'ale_py:Pong-v0', obs_type=\"ram\", frameskip=4"),
        ("Pong-ramNoFrameskip-v4", "'ale_py:PongNoFrameskip-v4', obs_type=\"ram\""),
    ],
)
def test_what_an_id_said_of_a_game_is_an_argument(env_id: str, made: str) -> None:
    source = f"from garage.envs import GymEnv\nenv = GymEnv('{env_id}')\n"
    assert f"GymEnv({made})" in ported(source)
    source = f"from garage.envs import GymEnv\nenv_id = '{env_id}'\nenv = GymEnv(env_id)\n"
    assert f"'{env_id}'" in ported(source)
    [(line, why)] = left(source)
    assert line == 2
    assert f"{env_id} is ale_py:" in why


def test_gyms_four_become_gymnasiums_five() -> None:
    source = (
        "import gym\n"
        "env = gym.make('CartPole-v1')\n"
        "obs = env.reset()\n"
        "obs, reward, done, info = env.step(0)\n"
        "obs, _, _, _ = env.step(0)\n"
    )
    assert ported(source).splitlines()[2:] == [
        "obs, _ = env.reset()",
        "obs, reward, terminated, truncated, info = env.step(0)",
        "done = terminated or truncated",
        "obs, _, terminated, truncated, _ = env.step(0)",
    ]


def test_what_garages_environments_return_is_taken_apart() -> None:
    source = (
        "from garage.envs import GarageEnv\n"
        "env = GarageEnv('CartPole-v1')\n"
        "while True:\n"
        "    obs, reward, done, info = env.step(0)\n"
    )
    assert ported(source).splitlines()[3:] == [
        "    env_step = env.step(0)",
        "    obs, reward, done, info = "
        "env_step.observation, env_step.reward, env_step.last, env_step.env_info",
    ]


def test_an_environment_of_gyms_returns_what_gymnasiums_does() -> None:
    source = (
        "import gym\n\n\n"
        "class Mine(gym.Env):\n"
        "    def reset(self):\n"
        "        return self.state\n\n"
        "    def step(self, action):\n"
        "        return self.state, 0.0, self.done, {}  # as ever\n"
    )
    lines = ported(source).splitlines()
    assert lines[4] == "    def reset(self, *, seed=None, options=None):"
    assert lines[5] == "        return self.state, {}"
    assert lines[8] == "        return self.state, 0.0, self.done, False, {}  # as ever"


def test_parameters_of_an_experiment_are_keywords_and_it_starts_as_a_script_alone() -> None:
    source = (
        "from garage import wrap_experiment\n\n\n"
        "@wrap_experiment(snapshot_mode='all')\n"
        "def run(ctxt=None, seed=1, n=2):\n"
        "    pass\n\n\n"
        "run(seed=3)\n"
    )
    lines = ported(source).splitlines()
    assert lines[4] == "def run(ctxt=None, *, seed=1, n=2):"
    assert lines[-2:] == ['if __name__ == "__main__":', "    run(seed=3)"]


def test_defaults_of_garage_are_written_out() -> None:
    pytest.importorskip("torch")
    source = (
        "from garage.torch.algos import DQN\n"
        "a = DQN(s, p, q, b,\n"
        "        steps_per_epoch=3)\n"
        "b = DQN(**options)\n"
    )
    code = ported(source)
    assert "        steps_per_epoch=3,\n        n_train_steps=50)" in code
    assert "DQN(**options)" in code
    assert left(source) == [
        (4, "DQN: in garage n_train_steps=50, steps_per_epoch=20, if not given")
    ]


@pytest.mark.parametrize("full", DEFAULTS)
def test_each_default_that_is_written_out_is_taken_and_is_another_here(full: str) -> None:
    import inspect

    module, _, name = full.rpartition(".")
    pytest.importorskip("tensorflow" if ".tf." in full else "torch")
    cls = find("garage_like" + module.removeprefix("garage"), name)
    assert list(unknown_arguments(cls, DEFAULTS[full])) == []
    shown = inspect.signature(cls).parameters
    for argument, value in DEFAULTS[full].items():
        assert argument not in shown or repr(shown[argument].default) != value


def test_a_tree_is_ported_in_place_and_once_is_enough(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    script = tmp_path / "deep" / "script.py"
    script.write_text("from garage.envs import GymEnv\nGymEnv('CartPole-v0')\n")
    (tmp_path / "other.py").write_text("print 'Python 2'\n")
    run = CliRunner().invoke(main, ["port", str(tmp_path)])
    assert run.exit_code == 0, run.output
    assert "script.py:2: CartPole-v0 is CartPole-v1" in run.output
    assert "other.py:1: by hand: it is no Python 3" in run.output
    assert "1 of 2 files changed; 1 places are left by hand" in run.output
    assert script.read_text() == "from garage_like.envs import GymEnv\nGymEnv('CartPole-v1')\n"
    again = CliRunner().invoke(main, ["port", str(tmp_path)])
    assert "0 of 2 files changed" in again.output
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["deep", "other.py", "script.py"]


def test_one_script_is_printed_and_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import gym\n")
    run = CliRunner().invoke(main, ["port", "--stdout", str(script)])
    assert run.output == "import gymnasium as gym\n"
    assert script.read_text() == "import gym\n"
    assert CliRunner().invoke(main, ["port", str(tmp_path / "none")]).exit_code == 1


@pytest.mark.slow
def test_a_script_of_garages_kind_trains_once_it_is_ported(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = tmp_path / "dqn.py"
    script.write_text(SCRIPT)
    done = CliRunner().invoke(main, ["port", str(script)])
    assert "0 places are left by hand" in done.output, done.output
    ran = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "data/local/experiment/dqn_cartpole/snapshots").is_dir()


SCRIPT = """
from garage import wrap_experiment
from garage.envs import GymEnv
from garage.experiment.deterministic import set_seed
from garage.np.exploration_policies import EpsilonGreedyPolicy
from garage.replay_buffer import PathBuffer
from garage.sampler import FragmentWorker, LocalSampler
from garage.torch.algos import DQN
from garage.torch.policies import DiscreteQFArgmaxPolicy
from garage.torch.q_functions import DiscreteMLPQFunction
from garage.trainer import Trainer


@wrap_experiment(snapshot_mode='last')
def dqn_cartpole(ctxt=None, seed=24):
    set_seed(seed)
    trainer = Trainer(ctxt)
    env = GymEnv('CartPole-v0')
    replay_buffer = PathBuffer(capacity_in_transitions=1000)
    qf = DiscreteMLPQFunction(env_spec=env.spec, hidden_sizes=(8, 5))
    policy = DiscreteQFArgmaxPolicy(env_spec=env.spec, qf=qf)
    exploration_policy = EpsilonGreedyPolicy(env_spec=env.spec, policy=policy,
                                             total_timesteps=1000, max_epsilon=1.0,
                                             min_epsilon=0.01, decay_ratio=0.4)
    sampler = LocalSampler(agents=exploration_policy, envs=env, max_episode_length=200,
                           worker_class=FragmentWorker)
    algo = DQN(env_spec=env.spec, policy=policy, qf=qf,
               exploration_policy=exploration_policy, replay_buffer=replay_buffer,
               sampler=sampler, steps_per_epoch=2, qf_lr=5e-5, discount=0.9,
               min_buffer_size=100, n_train_steps=5, target_update_freq=30,
               buffer_batch_size=32)
    trainer.setup(algo, env)
    trainer.train(n_epochs=2, batch_size=100)


dqn_cartpole()
"""


def test_tasks_that_are_embedded_are_in_observations() -> None:
    source = (
        "from garage.envs import MultiEnvWrapper\n"
        "from garage.tf.algos import TEPPO\n"
        "env = MultiEnvWrapper(envs, mode='vanilla')\n"
        "spec = TEPPO.get_infer_spec(env.spec, latent_dim=2, inference_window_size=6)\n"
        "other = TEPPO.get_infer_spec(spec_of(env), latent_dim=2, inference_window_size=6)\n"
    )
    code = ported(source)
    assert "MultiEnvWrapper(envs, mode='add-onehot')" in code
    assert "inference_window_size=6, num_tasks=env.num_tasks)" in code
    assert left(source) == [(5, "TEPPO.get_infer_spec: num_tasks is how many tasks there are")]
    alone = "from garage.envs import MultiEnvWrapper\nenv = MultiEnvWrapper(envs, mode='vanilla')\n"
    assert "'vanilla'" in ported(alone)


def test_tasks_of_meta_world_are_of_its_third_version() -> None:
    source = "import metaworld\nfrom garage.envs import GymEnv\nml1 = metaworld.ML1('push-v1')\n"
    assert ported(source).endswith("ml1 = metaworld.ML1('push-v3')\n")
