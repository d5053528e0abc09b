"""Playing and filming a policy, while training too, without a screen."""

from importlib.util import find_spec

import numpy as np
import pytest

from garage_like.envs import GymEnv, PointEnv, normalize
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import RunLogs, tabular
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy, GaussianMLPPolicy
from garage_like.pictures.playing import play
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer

pytestmark = pytest.mark.skipif(
    find_spec("av") is None or find_spec("pygame") is None,
    reason="needs the extras video and classic",
)


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def cartpole(limit=12):
    env = GymEnv("CartPole-v1", max_episode_length=limit)
    return CategoricalMLPPolicy(env.spec, hidden_sizes=(4,)), env


def test_g12_a_video_comes_out_on_a_headless_machine(tmp_path, frames_of):
    video = tmp_path / "new" / "v.mp4"
    played = list(play(*cartpole(), 2, video=video, seed=1))
    frames, fps = frames_of(video)
    assert len(frames) == sum(episode.length + 1 for episode in played)
    assert (frames[0].shape, fps) == ((400, 600, 3), 50)
    assert frames[0].std() > 10  # a cart on a track, not a blank


def test_the_same_seed_plays_the_same_episodes_filmed_or_not(tmp_path):
    policy, env = cartpole(200)
    first = list(play(policy, env, 3, seed=5, deterministic=False))
    again = list(play(policy, env, 3, seed=5, deterministic=False, video=tmp_path / "v.mp4"))
    other = list(play(policy, env, 3, seed=6, deterministic=False))
    assert first == again
    assert first != other
    assert all(episode.total_reward == episode.length for episode in first)


def test_wrappers_stay_around_what_is_filmed(tmp_path, frames_of):
    env = normalize(GymEnv("Pendulum-v1", max_episode_length=5), normalize_obs=True)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    [episode] = play(policy, env, 1, video=tmp_path / "v.mp4")
    assert (episode.length, episode.terminated) == (5, False)
    assert len(frames_of(tmp_path / "v.mp4")[0]) == 6


def test_an_environment_that_cannot_be_filmed_says_so(tmp_path):
    env = PointEnv(max_episode_length=5)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    with pytest.raises(RuntimeError, match="PointEnv could not be filmed"):
        list(play(policy, env, 1, video=tmp_path / "v.mp4"))
    assert list(tmp_path.iterdir()) == []


# ---- while training --------------------------------------------------------------------------


def train(directory, make=cartpole, **options):
    set_seed(3)
    policy, env = make()
    algo = CEM(env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5)
    with RunLogs(directory, existing=False, console=False):
        trainer = Trainer(SnapshotConfig(snapshot_dir=directory, **options))
        trainer.setup(algo, env)
        trainer.train(5, batch_size=20)
    lines = (directory / "progress.csv").read_text().splitlines()
    times = [i for i, name in enumerate(lines[0].split(",")) if name.endswith("Time")]
    return [[c for i, c in enumerate(line.split(",")) if i not in times] for line in lines]


def test_every_nth_epoch_is_filmed_and_training_goes_on_as_if_nothing_had_been(tmp_path):
    filmed = train(tmp_path / "filmed", video_interval=2)
    videos = sorted(path.name for path in (tmp_path / "filmed" / "videos").iterdir())
    assert videos == ["epoch_000000.mp4", "epoch_000002.mp4", "epoch_000004.mp4"]
    assert filmed == train(tmp_path / "plain")


class Shaky:
    """A policy that draws from the generator that all of the process share."""

    def __init__(self, env):
        self.env_spec = env.spec

    def get_actions(self, observations):
        return np.random.randint(2, size=len(observations)), {}

    def reset(self, do_resets=None):
        pass


class Dice(RLAlgorithm):
    def __init__(self, policy):
        self.policy = policy

    def train_epoch(self, trainer):
        tabular.record("Dice", np.random.random())
        trainer.step_itr += 1


def test_a_video_takes_no_number_from_the_generators_of_training(tmp_path):
    rolled = []
    for interval in (0, 1):
        np.random.seed(0)
        directory = tmp_path / str(interval)
        _, env = cartpole()
        with RunLogs(directory, existing=False, console=False):
            trainer = Trainer(SnapshotConfig(snapshot_dir=directory, video_interval=interval))
            trainer.setup(Dice(Shaky(env)), env)
            trainer.train(3)
        rows = (directory / "progress.csv").read_text().splitlines()
        place = rows[0].split(",").index("Dice")
        rolled.append([row.split(",")[place] for row in rows])
    assert len(list((tmp_path / "1" / "videos").iterdir())) == 3
    assert rolled[0] == rolled[1]


def test_what_cannot_be_filmed_is_a_warning_and_no_end_of_training(tmp_path):
    def point():
        env = PointEnv(max_episode_length=5)
        return GaussianMLPPolicy(env.spec, hidden_sizes=(4,)), env

    with pytest.warns(UserWarning, match="no video of epoch 0, training goes on: PointEnv could"):
        rows = train(tmp_path / "run", point, video_interval=9)
    assert len(rows) == 6


@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), ("often", TypeError)])
def test_a_bad_interval_is_refused(value, error):
    with pytest.raises(error, match="video_interval must be"):
        SnapshotConfig(snapshot_dir=".", video_interval=value)
