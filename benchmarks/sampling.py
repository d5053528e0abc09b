"""Measure how many env steps a second of processor time gives, by worker.

The same network acts in all rows but the first. The first two rows are what can be had at best: the
environment alone with ready-made actions, and a bare loop that acts, steps and keeps nothing.
Rounds take turns, and the median counts, since a shared machine's speed changes by the minute.

With `--envs 8 64 512 2048`: what `LocalSampler(..., n_envs=N)` takes, beside gymnasium's own vector
environment with the same network's decisions and a store into arrays, and Stable-Baselines3 if it
is installed. Keep NumPy's BLAS to one thread: `OMP_NUM_THREADS=1`.
"""

import argparse
import importlib.util
import itertools
import statistics
import time

import gymnasium
import numpy as np

from garage_like.envs import GymEnv
from garage_like.np.actors import CategoricalActor, GaussianActor
from garage_like.np.mlp import MLP, tanh
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler, VecWorker
from garage_like.seeding import set_seed, stream


class RandomPolicy:
    """A two-layer tanh network with fixed random weights."""

    def __init__(self, env_spec, width=64):
        rng = stream("weights")
        sizes = [env_spec.observation_dim, width, width, env_spec.action_dim]
        layers = [
            (
                rng.normal(0, i**-0.5, (i, o)).astype(np.float32),
                np.zeros(o, np.float32),
            )
            for i, o in itertools.pairwise(sizes)
        ]
        network = MLP(layers, tanh)
        if env_spec.is_discrete:
            self._actor = CategoricalActor(network, env_spec.observation_space)
        else:
            std = np.zeros(env_spec.action_dim, np.float32)
            shape = env_spec.action_space.shape
            self._actor = GaussianActor(network, std, env_spec.observation_space, shape)

    def actor(self):
        return self._actor

    def get_action(self, observation):
        actions, _ = self._actor.act(observation[None], stream("action"))
        return actions[0], {}

    def reset(self, do_resets=None):
        pass


def env_alone(name, steps):
    env = gymnasium.make(name)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(steps)]

    def run():
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return steps

    env.reset()
    return run


def bare_loop(name, steps):
    env = gymnasium.make(name)
    act = RandomPolicy(GymEnv(name).spec).actor().act
    rng = stream("worker")

    def run():
        observation, _ = env.reset(seed=0)
        for _ in range(steps):
            actions, _ = act(observation[None], rng)
            observation, _, terminated, truncated, _ = env.step(actions[0])
            if terminated or truncated:
                observation, _ = env.reset()
        return steps

    return run


def sampler(name, steps, worker_class, **worker_args):
    env = GymEnv(name)
    made = LocalSampler(
        RandomPolicy(env.spec), env, worker_class=worker_class, worker_args=worker_args
    )
    return lambda: made.obtain_samples(0, steps).num_steps


def at_once(name, n_envs, ticks):
    """Act, step and store: the least that a rollout takes in gymnasium's vector environment."""
    env = gymnasium.make_vec(name, n_envs)
    act = RandomPolicy(GymEnv(name).spec).actor().act
    rng = stream("worker")
    now, _ = env.reset(seed=0)
    observations = np.empty((ticks, *now.shape), now.dtype)
    actions = np.empty((ticks, *env.action_space.shape), env.action_space.dtype)
    rewards, over = np.empty((ticks, n_envs)), np.empty((ticks, n_envs), bool)

    def run():
        nonlocal now
        for t in range(ticks):
            chosen, _ = act(now, rng)
            observations[t], actions[t] = now, chosen
            now, rewards[t], terminated, truncated, _ = env.step(chosen)
            np.logical_or(terminated, truncated, out=over[t])
        return ticks * n_envs

    return run


def many(env, n_envs, steps):
    made = LocalSampler(RandomPolicy(env.spec), env, n_envs=n_envs)
    return lambda: made.obtain_samples(0, steps).num_steps


def stable_baselines3(name, n_envs, ticks):
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(1)
    envs = make_vec_env(name, n_envs, seed=0)
    options = {"n_steps": ticks, "batch_size": n_envs * ticks, "device": "cpu"}
    model = PPO("MlpPolicy", envs, policy_kwargs={"net_arch": [64, 64]}, **options)
    _, callback = model._setup_learn(10**9)

    def run():
        model.collect_rollouts(envs, callback, model.rollout_buffer, ticks)
        return n_envs * ticks

    return run


def compare_many(name, numbers, steps, rounds, alone):
    found, has_pool = (
        not alone and importlib.util.find_spec(library) is not None
        for library in ("stable_baselines3", "envpool")
    )
    names = ["at once", "sampler"] + ["SB3"] * found + ["EnvPool"] * has_pool
    print(f"{name}, one thread: microseconds of processor time an env step")
    print(f"{'':10s}" + "".join(f"{row:>12s}" for row in names), "   sampler to at once, SB3 to it")
    for n_envs in numbers:
        ticks = max(16, steps // n_envs)
        rows = [at_once(name, n_envs, ticks), many(GymEnv(name), n_envs, ticks * n_envs)]
        rows += [stable_baselines3(name, n_envs, min(ticks, 128))] * found
        if has_pool:
            import envpool

            pool = GymEnv(envpool.make_gymnasium(name, num_envs=n_envs, num_threads=1))
            rows.append(many(pool, n_envs, ticks * n_envs))
        for run in rows:
            run()
        taken = np.array([[seconds_per_step(run) for run in rows] for _ in range(rounds)]) * 1e6
        medians = np.median(taken, axis=0)
        ratios = [np.median(taken[:, 1] / taken[:, 0])]
        if found:
            ratios.append(np.median(taken[:, 2] / taken[:, 1]))
        print(
            f"{n_envs:<10d}" + "".join(f"{one:12.2f}" for one in medians),
            "   " + "".join(f"{one:10.2f} x" for one in ratios),
            flush=True,
        )


def seconds_per_step(run):
    started = time.process_time()
    steps = run()
    return (time.process_time() - started) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("--steps", type=int, default=10_000, help="env steps in each round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--envs", type=int, nargs="+", help="numbers of environments side by side")
    parser.add_argument("--alone", action="store_true", help="with --envs: no other libraries")
    arguments = parser.parse_args()

    set_seed(1)
    name, steps = arguments.env, arguments.steps
    if arguments.envs:
        compare_many(name, arguments.envs, steps, arguments.rounds, arguments.alone)
        return
    rows = {
        "environment alone": env_alone(name, steps),
        "bare loop": bare_loop(name, steps),
        "DefaultWorker": sampler(name, steps, DefaultWorker),
        "VecWorker(8)": sampler(name, steps, VecWorker, n_envs=8),
        "VecWorker(32)": sampler(name, steps, VecWorker, n_envs=32),
        "FragmentWorker(8)": sampler(name, steps, FragmentWorker, n_envs=8),
    }
    for run in rows.values():
        run()
    rounds = [
        {row: seconds_per_step(run) for row, run in rows.items()} for _ in range(arguments.rounds)
    ]
    print(f"{name}, one thread\n")
    print(f"{'':20s}{'env steps per CPU second':>26s}{'of environment alone':>24s}")
    for row in rows:
        median = statistics.median(one[row] for one in rounds)
        ratio = statistics.median(one["environment alone"] / one[row] for one in rounds)
        print(f"{row:20s}{1 / median:26,.0f}{ratio:24.2f}")


if __name__ == "__main__":
    main()
