"""Measure how many env steps a second of processor time gives, by worker.

The same network acts in all rows but the first. The first two rows are what can be had at best: the
environment alone with ready-made actions, and a bare loop that acts, steps and keeps nothing.
Rounds take turns, and the median counts, since a shared machine's speed changes by the minute.
"""

import argparse
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


def seconds_per_step(run):
    started = time.process_time()
    steps = run()
    return (time.process_time() - started) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("--steps", type=int, default=10_000, help="env steps in each round")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()

    set_seed(1)
    name, steps = arguments.env, arguments.steps
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
