"""`garage-like play`: what a run has learned."""

import json

import pytest

from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.logging import RunLogs
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler
from garage_like.snapshot import SnapshotConfig
from garage_like.trainer import Trainer


@pytest.fixture
def run(tmp_path):
    directory = tmp_path / "run"
    set_seed(3)
    env = GymEnv("CartPole-v1", max_episode_length=12)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    algo = CEM(env.spec, policy, LocalSampler(policy, env), n_samples=2, best_frac=0.5)
    with RunLogs(directory, existing=False, console=False):
        trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="all"))
        trainer.setup(algo, env)
        trainer.train(2, batch_size=20)
    return directory


def test_episodes_are_played_and_nothing_in_the_run_changes(call, run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    ran = call("play", run, "--episodes", 3)
    assert ran.exit_code == 0, ran.output
    lines = ran.output.splitlines()
    assert lines[0].split() == ["episode", "return", "length", "ended"]
    assert len(lines) == 5
    assert lines[-1].startswith("mean return ")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_g12_json_has_the_episodes_and_a_video_comes_out(call, run, tmp_path):
    pytest.importorskip("av", reason="needs the extra video")
    pytest.importorskip("pygame", reason="needs the extra classic")
    video = tmp_path / "v.mp4"
    found = json.loads(call("play", run, "--video", video, "--json").output)
    [episode] = found["episodes"]
    assert episode["total_reward"] == episode["length"] == found["mean"]
    assert found["video"] == str(video)
    assert video.read_bytes()[4:8] == b"ftyp"


def test_one_snapshot_alone_is_enough(call, run, tmp_path):
    alone = (run / "snapshots" / "epoch_000000").rename(tmp_path / "alone")
    assert call("play", alone).exit_code == 0


def test_rubbish_is_one_line(call, run, runs, tmp_path):
    for arguments, message in (
        ([tmp_path / "nowhere"], "no such directory"),
        ([run, "--video", tmp_path / "v.gif"], "a video must end in .mp4, .mkv, .mov"),
        ([run, "--from-epoch", 9], "epoch 9"),
        ([run, "--episodes", 0], "0 is not in the range"),
        ([run, "--seed", -1], "-1 is not in the range"),
    ):
        ran = call("play", *arguments)
        assert ran.exit_code != 0
        assert message in ran.output.splitlines()[-1]
