"""Measure what threads, processes and Ray gain where environments wait, or compute.

    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py waits --envs 8 64 --by threads processes ray
    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py waits --envs 64 --by both
    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py waits --envs 8 --by processes sb3 rllib
    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py computes --by processes
    OMP_NUM_THREADS=1 python benchmarks/elsewhere.py asks --by processes

`waits`: environments of 5 ms a step, N of them beside one; wall time. `both` is threads in each of
two processes, `sb3` a SubprocVecEnv as Stable-Baselines3's PPO collects by it, `rllib` its env
runners (`--rllib` is a Python that has it). What this process does itself for each environment is
told beside it, since that is what N workers wait for.
`asks`: an algorithm that asks for one step at a time, and gets more of them each time.
`computes`: two workers with four HalfCheetahs each beside a LocalSampler with as many; wall time,
and as on free cores: processor seconds of the slowest worker and of this process. Each ratio is of
one round, in turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np

from garage_like.envs import GymEnv
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.sampler import FragmentWorker, LocalSampler, MultiprocessingSampler, RaySampler
from garage_like.seeding import set_seed

BY = {"processes": MultiprocessingSampler, "ray": RaySampler}


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


class SB3:
    """Collect as Stable-Baselines3's PPO does, with a process for each environment."""

    def __init__(self, n_envs):
        from stable_baselines3 import PPO
        from stable_baselines3.common.vec_env import SubprocVecEnv

        self.envs = SubprocVecEnv([Waits] * n_envs, start_method="fork")
        options = {"n_steps": 100, "batch_size": 100, "device": "cpu"}
        self.model = PPO("MlpPolicy", self.envs, policy_kwargs={"net_arch": [64, 64]}, **options)
        _, self.callback = self.model._setup_learn(10**9)

    def obtain_samples(self, itr, steps):
        buffer, ticks = self.model.rollout_buffer, steps // self.envs.num_envs
        buffer.buffer_size = ticks
        self.model.collect_rollouts(self.envs, self.callback, buffer, ticks)
        return argparse.Namespace(num_steps=ticks * self.envs.num_envs)

    def shutdown_worker(self):
        self.envs.close()


class RLlib:
    """What a Python of its own has measured, beside which nothing else is asked for."""

    def __init__(self, n_envs, python):
        script = Path(__file__).with_name("with_rllib.py")
        said = subprocess.run(
            [python, script, str(n_envs)], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        self.rates = json.loads(said.splitlines()[-1])


def many_of(n_envs, by, env):
    if by == "threads":
        return sampler(LocalSampler, env, n_envs=n_envs, n_threads=n_envs)
    if by == "both":
        half = n_envs // 2
        return sampler(MultiprocessingSampler, env, n_workers=2, n_envs=half, n_threads=half)
    if by == "sb3":
        return SB3(n_envs)
    return sampler(BY[by], env, n_workers=n_envs, n_envs=1)


def waits(n_envs, by, rounds, rllib):
    env = GymEnv(Waits(), max_episode_length=1000)
    one = sampler(LocalSampler, env, n_envs=1)
    used = float("nan")
    if by == "rllib":
        rates = RLlib(n_envs, rllib).rates
        found = [(rate(one, 100), there) for there in rates]
        many, ready = one, float("nan")
    else:
        began = time.perf_counter()
        many = many_of(n_envs, by, env)
        many.obtain_samples(0, n_envs)
        ready = time.perf_counter() - began
        found, used = [], 0.0
        for _ in range(rounds):
            alone, began = rate(one, 100), time.process_time()
            found.append((alone, rate(many, 100 * n_envs)))
            used += time.process_time() - began
    ratios = [b / a for a, b in found]
    print(
        f"waits  {n_envs:3d} {by:9}  one {median(a for a, _ in found):5.0f}/s,"
        f" all {median(b for _, b in found):6.0f}/s: {median(ratios):5.1f} x"
        f" ({min(ratios):.1f} to {max(ratios):.1f}), ready after {ready:.1f} s; this process"
        f" {used / len(found) / n_envs * 1000:.2f} ms for 100 steps of each",
        flush=True,
    )
    many.shutdown_worker()


def computes(by, n_rounds):
    local = sampler(LocalSampler, GymEnv("HalfCheetah-v5"), 2, n_envs=4)
    many = sampler(BY[by], GymEnv("HalfCheetah-v5"), 2, n_envs=4)
    rate(local, 400)
    rate(many, 400)
    wall, free = [], []
    for _ in range(n_rounds):
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


def asks(by, n_rounds):
    """Ask two workers with four environments for a step each; they take one, or 25 of each."""
    env = GymEnv("Pendulum-v1")
    for each in (1, 25):
        many = sampler(BY[by], env, 2, n_envs=4, timesteps_per_call=each)
        many.obtain_samples(0, 2)
        rates = []
        for _ in range(n_rounds):
            began, steps = time.perf_counter(), 0
            while steps < 400:
                steps += many.obtain_samples(0, 2).num_steps  # one of each worker
            rates.append(steps / (time.perf_counter() - began))
        print(f"asks by {by}, timesteps_per_call={each}: {median(rates):.0f} env steps a second")
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
    parser.add_argument("what", choices=["waits", "computes", "asks"])
    parser.add_argument("--envs", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--by", nargs="+", default=["threads", "processes"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rllib", default=sys.executable, help="a Python that has RLlib")
    options = parser.parse_args()
    set_seed(1)
    for by in options.by:
        if options.what == "computes":
            computes(by, options.rounds)
            continue
        if options.what == "asks":
            asks(by, options.rounds)
            continue
        for n_envs in options.envs:
            waits(n_envs, by, options.rounds, options.rllib)
    print(f"load {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
