"""Workers in processes of their own: LocalSampler's bits, whatever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from collecting import KINDS, Failing, Global, collected, sampling

from garage_like.data.batches import EpisodeBatch
from garage_like.envs import GymEnv
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler, MultiprocessingSampler
from garage_like.sampler.parallel_sampler import _TEAMS
from garage_like.sampler.parcels import digest, pack


def pids(sampler):
    return [link.pid for link in _TEAMS[sampler]._links]


@pytest.mark.parametrize("kind", KINDS, ids=["default", "fragment", "vec"])
def test_bits_are_those_of_the_local_sampler(kind):
    assert collected(MultiprocessingSampler, *kind) == collected(LocalSampler, *kind)


def test_worker_that_dies_repeats_its_share():
    def kill(sampler, call):
        if call == 1:
            os.kill(pids(sampler)[1], signal.SIGKILL)

    kind = KINDS[1]
    with pytest.warns(UserWarning, match=r"worker 1 died .*status -9.* repeats its share"):
        found = collected(MultiprocessingSampler, *kind, before_call=kill)
    assert found == collected(LocalSampler, *kind)


def test_processes_end_with_the_sampler_and_start_again():
    with sampling(MultiprocessingSampler) as (sampler, _, _):
        sampler.obtain_samples(0, 10)
        (first,) = pids(sampler)
        sampler.shutdown_worker()
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        sampler.obtain_samples(1, 10)
        (second,) = pids(sampler)
        assert second != first
        batch = sampler.obtain_samples(2, 10, env_update=let_limit_be_four)
        assert pids(sampler) == [second]  # it is sent again, to the process that there is
    with sampling(LocalSampler) as (local, _, _):
        for call in range(2):
            local.obtain_samples(call, 10)
        here = local.obtain_samples(2, 10, env_update=let_limit_be_four)
    assert here.observations.tobytes() == batch.observations.tobytes()
    assert max(batch.lengths) <= 4


def let_limit_be_four(env):
    return GymEnv("CartPole-v1", max_episode_length=4)


class Fatal(gymnasium.Wrapper):
    def step(self, action):
        os._exit(3)


def test_what_draws_from_the_process_is_refused():
    env = GymEnv(Global(gymnasium.make("CartPole-v1")))
    with (
        sampling(MultiprocessingSampler, env=env) as (sampler, _, _),
        pytest.raises(RuntimeError, match=r"numpy\.random: .* draw from `self\.np_random`"),
    ):
        sampler.obtain_samples(0, 10)


def test_error_comes_home_as_it_is_and_the_next_call_is_answered():
    env = GymEnv(Failing(gymnasium.make("CartPole-v1")))
    with sampling(MultiprocessingSampler, env=env) as (sampler, _, _):
        with pytest.raises(KeyError, match="no such road") as raised:
            sampler.obtain_samples(0, 10)
        assert "in a worker's process" in raised.value.__notes__[0]
        good = GymEnv("CartPole-v1", max_episode_length=30)
        assert isinstance(sampler.obtain_samples(1, 10, env_update=good), EpisodeBatch)


def test_worker_that_always_dies_is_given_up():
    env = GymEnv(Fatal(gymnasium.make("CartPole-v1")))
    with (
        sampling(MultiprocessingSampler, env=env) as (sampler, _, _),
        pytest.warns(UserWarning, match="status 3"),
        pytest.raises(RuntimeError, match=r"worker 0 died 3 times in one call .*LocalSampler"),
    ):
        sampler.obtain_samples(0, 10)


ORPHANS = """
import os, signal, sys, time
sys.path.insert(0, {folder!r})
from test_multiprocessing_sampler import KINDS, MultiprocessingSampler, pids, sampling
with sampling(MultiprocessingSampler, *KINDS[1]) as (sampler, _, _):
    sampler.obtain_samples(0, 20)
    fork = {forks} and os.fork()  # holds what this process holds, and outlives it
    if {forks} and not fork:
        os.close(1), os.close(2)
        time.sleep(60)
        os._exit(0)
    print(*pids(sampler), fork, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("forks", [False, True])
def test_no_worker_outlives_a_killed_parent(forks):
    code = ORPHANS.format(folder=os.path.dirname(__file__), forks=forks)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert len(done.stdout.split()) == 3, done.stderr
    *children, fork = done.stdout.split()
    children = list(map(int, children))
    until = time.monotonic() + 20
    while any(map(is_running, children)) and time.monotonic() < until:
        time.sleep(0.05)
    outlived = [*filter(is_running, children)]
    if forks:
        os.kill(int(fork), signal.SIGKILL)
    assert outlived == []


class Held(gymnasium.Wrapper):
    """Hold what cannot be pickled, once it was reset."""

    def reset(self, **options):
        self.lock = threading.Lock()
        return super().reset(**options)


def test_what_cannot_go_to_another_process_is_told():
    env = GymEnv(Held(gymnasium.make("CartPole-v1")))
    with (
        sampling(MultiprocessingSampler, env=env) as (sampler, _, _),
        pytest.raises(TypeError, match=r"holds what cannot go .*lock.*or use LocalSampler"),
    ):
        sampler.obtain_samples(0, 10)


def test_exploring_and_beginning_episodes_changes_no_policy():
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
    exploring = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=100)
    before = digest(pack(exploring))
    exploring.reset(np.ones(2, bool))
    assert digest(pack(exploring)) == before
