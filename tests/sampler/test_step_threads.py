"""Environments that wait, in threads: the bits of one after the other."""

import pickle
import sys
import threading
import time

import gymnasium
import numpy as np
import pytest

from garage_like import seeding
from garage_like.envs import GymEnv, normalize
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.sampler import FragmentWorker, LocalSampler, VectorWorker, VecWorker
from garage_like.sampler.step_threads import StepThreads

COUNTING = threading.Lock()


class Waits(gymnasium.Env):
    """Wait a while at each step and reset, the longer the smaller a random number."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    together = most = 0

    def __init__(self, seconds=0.001):
        self.seconds = seconds

    def wait(self):
        with COUNTING:
            Waits.together += 1
            Waits.most = max(Waits.most, Waits.together)
        time.sleep(self.seconds * self.np_random.random())
        with COUNTING:
            Waits.together -= 1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.wait()
        return self.np_random.random(3, np.float32), {"begun": self.np_random.random()}

    def step(self, action):
        self.wait()
        over = bool(self.np_random.random() < 0.1)
        return self.np_random.random(3, np.float32), float(action.sum()), over, False, {}


class Shares(Waits):
    def step(self, action):
        np.random.random()
        return super().step(action)


class Fails(Waits):
    def step(self, action):
        if self.np_random.random() < 0.2:
            raise KeyError("no such road")
        return super().step(action)


def sampler_of(worker_class, env=Waits, **arguments):
    seeding.set_seed(3)
    made = normalize(GymEnv(env(), max_episode_length=20), normalize_obs=True)
    policy = GaussianMLPPolicy(made.spec, hidden_sizes=(8,))
    arguments = {"n_envs": 5, **arguments}
    return LocalSampler(policy, made, worker_class=worker_class, worker_args=arguments)


@pytest.mark.parametrize("worker_class", [VecWorker, FragmentWorker, VectorWorker])
def test_bits_are_those_of_one_after_the_other(worker_class, same_batch):
    plain = sampler_of(worker_class)
    batches = [plain.obtain_samples(k, 80) for k in range(2)] + [plain.obtain_exact_episodes(7)]
    for n_threads in (2, 5, 64):
        Waits.most = 0
        found = sampler_of(worker_class, n_threads=n_threads)
        for number, batch in enumerate(batches):
            again = found.obtain_samples(0, 80) if number < 2 else found.obtain_exact_episodes(7)
            assert same_batch(again, batch)
        assert 1 < Waits.most <= min(n_threads, 5)
        states = [worker._rng.bit_generator.state for worker in (plain._workers + found._workers)]
        assert states[0] == states[1]


def test_a_worker_is_saved_without_its_threads():
    worker = sampler_of(FragmentWorker, n_threads=3)
    worker.obtain_samples(0, 20)
    found = pickle.loads(pickle.dumps(worker._workers[0]._threads))
    assert found.n_threads == 3
    assert found.map(abs, [-1, -2, -3, -4]) == [1, 2, 3, 4]
    found.shutdown()


def test_what_draws_from_the_process_is_refused():
    sampler = sampler_of(FragmentWorker, Shares, n_threads=2)
    with pytest.raises(RuntimeError, match=r"numpy\.random: .*leave n_threads out"):
        sampler.obtain_samples(0, 20)


def test_an_error_is_told_when_no_thread_is_at_work():
    sampler = sampler_of(FragmentWorker, Fails, n_threads=5)
    with pytest.raises(KeyError, match="no such road"):
        sampler.obtain_samples(0, 500)
    assert Waits.together == 0
    done = []

    def work(seconds):
        if not seconds:
            raise KeyError("no such road")
        time.sleep(seconds)
        done.append(seconds)

    threads = StepThreads(2)
    with pytest.raises(KeyError, match="no such road"):
        threads.map(work, [0.0, 0.1])
    assert done == [0.1]
    threads.shutdown()


def test_an_environment_that_exits_ends_the_program_and_not_its_thread_alone():
    threads = StepThreads(2)
    with pytest.raises(SystemExit):
        threads.map(sys.exit, [3, 3])
    assert threads.map(abs, [-1, -2]) == [1, 2]
    threads.shutdown()


def test_threads_end_with_the_worker():
    sampler = sampler_of(VecWorker, n_threads=4)
    sampler.obtain_samples(0, 30)
    (worker,) = sampler._workers
    threads = [*worker._threads._pool]
    assert any(thread.is_alive() for thread in threads)
    worker.shutdown()
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("n_threads", [0, True, 1.5])
def test_numbers_that_are_none_are_told(n_threads):
    with pytest.raises(ValueError, match="n_threads must be an integer of at least 1"):
        VecWorker(n_threads=n_threads)
