"""Measure what threads, processes and Ray gain where environments wait, or compute.

    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py waits --envs 8 64 --by threads processes ray
    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py computes --by processes

`waits`: environments of 5 ms a step, N of them beside one; wall time. `computes`: two workers with
four HalfCheetahs each beside a LocalSampler with as many; wall time, and as on free cores:
processor seconds of the slowest worker and of this process. Each ratio is of one round, in turns.
"""

import argparse
import os
import statistics
import time

import gymnasium
import numpy as np

from garage_like.envs import GymEnv
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.sampler import FragmentWorker, LocalSampler, MultiprocessingSampler, RaySampler
from garage_like.seeding import set_seed

BY = {"processes": MultiprocessingSampler, "ray": RaySampler}
ROUNDS = 5


class Waits(gymnasium.Env):
    """Wait 5 ms a step."""

    observation_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(4, np.float32), {}

    def step(self, action):
        time.sleep(0.005)
        return self.np_random.random(4, np.float32), float(action.sum()), False, False, {}


def sampler(cls, env, n_workers=1, **worker_args):
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    return cls(
        policy, env, n_workers=n_workers, worker_class=FragmentWorker, worker_args=worker_args
    )


def rate(one, steps):
    began = time.perf_counter()
    return one.obtain_samples(0, steps).num_steps / (time.perf_counter() - began)


def waits(n_envs, by):
    env = GymEnv(Waits(), max_episode_length=1000)
    one = sampler(LocalSampler, env, n_envs=1)
    if by == "threads":
        many = sampler(LocalSampler, env, n_envs=n_envs, n_threads=n_envs)
    else:
        many = sampler(BY[by], env, n_workers=n_envs, n_envs=1)
    began = time.perf_counter()
    many.obtain_samples(0, n_envs)
    ready = time.perf_counter() - began
    rounds = [(rate(one, 100), rate(many, 100 * n_envs)) for _ in range(ROUNDS)]
    ratios = [b / a for a, b in rounds]
    print(
        f"waits  {n_envs:3d} {by:9}  one {median(a for a, _ in rounds):5.0f}/s,"
        f" all {median(b for _, b in rounds):6.0f}/s: {median(ratios):5.1f} x"
        f" ({min(ratios):.1f} to {max(ratios):.1f}), ready after {ready:.1f} s",
        flush=True,
    )
    many.shutdown_worker()


def computes(by):
    local = sampler(LocalSampler, GymEnv("HalfCheetah-v5"), 2, n_envs=4)
    many = sampler(BY[by], GymEnv("HalfCheetah-v5"), 2, n_envs=4)
    rate(local, 400)
    rate(many, 400)
    wall, free = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        here = rate(local, 8000)
        alone = time.process_time() - began
        before, began = seconds_of_children(), time.process_time()
        wall.append(rate(many, 8000) / here)
        ours = time.process_time() - began
        theirs = [seconds_of_children()[child] - was for child, was in before.items()]
        free.append(alone / (max(theirs) + ours))
    print(f"computes by {by}: wall {median(wall):.2f} x, on free cores {median(free):.2f} x")
    many.shutdown_worker()


def seconds_of_children():
    """Return processor seconds of this process's children, by their number."""
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        numbers = children.read().split()
    found = {}
    for number in numbers:
        with open(f"/proc/{number}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        found[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def median(values):
    return statistics.median(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["waits", "computes"])
    parser.add_argument("--envs", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--by", nargs="+", default=["threads", "processes"])
    options = parser.parse_args()
    set_seed(1)
    for by in options.by:
        if options.what == "computes":
            computes(by)
            continue
        for n_envs in options.envs:
            waits(n_envs, by)
    print(f"load {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
