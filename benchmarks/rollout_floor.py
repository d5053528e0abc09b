"""Print what an env step of a rollout in 8 CartPoles costs beside a bare loop of the environments.

The bare loop also takes the policy's decisions in the third row, and the sampler does everything in
the last. Parts take turns; what is printed is the least of all rounds, since a shared machine adds
to some and never takes away.

    python benchmarks/rollout_floor.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import gymnasium
import numpy as np
from works import WORKS

from garage_like.envs import GymEnv
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.seeding import set_seed, stream
from garage_like.torch.policies import CategoricalMLPPolicy

WORK = WORKS["rollout8"]


class Parts:
    """Do the same env steps with more and more around them.

    Each method takes one rollout's env steps.
    """

    def __init__(self) -> None:
        self._rng = stream("policy")
        self._envs = [gymnasium.make(WORK.env) for _ in range(WORK.n_envs)]
        self._observations = np.array(
            [env.reset(seed=number)[0] for number, env in enumerate(self._envs)]
        )
        env = GymEnv(WORK.env)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=WORK.hidden)
        self._actor = policy.actor()
        self._sampler = LocalSampler(
            policy, env, worker_class=FragmentWorker, worker_args={"n_envs": WORK.n_envs}
        )
        self._ticks = (WORK.rollout or 0) // WORK.n_envs

    def acting(self) -> None:
        for _ in range(self._ticks):
            self._actor.act(self._observations, self._rng)

    def stepping(self) -> None:
        for actions in self._rng.integers(2, size=(self._ticks, WORK.n_envs)):
            self._step(actions)

    def acting_and_stepping(self) -> None:
        for _ in range(self._ticks):
            self._step(self._actor.act(self._observations, self._rng)[0])

    def sampling(self) -> None:
        self._sampler.obtain_samples(0, WORK.rollout or 0)

    def _step(self, actions: np.ndarray) -> None:
        for number, env in enumerate(self._envs):
            observation, _, terminated, truncated, _ = env.step(actions[number])
            if terminated or truncated:
                observation, _ = env.reset()
            self._observations[number] = observation


def microseconds(part: Callable[[], None]) -> float:
    """Return processor time for one env step."""
    started = time.process_time()
    part()
    return (time.process_time() - started) / (WORK.rollout or 1) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    set_seed(1)
    parts = Parts()
    rows = (parts.stepping, parts.acting, parts.acting_and_stepping, parts.sampling)
    found: dict[str, list[float]] = {part.__name__: [] for part in rows}
    for _ in range(given.rounds):
        for part in rows:
            found[part.__name__].append(microseconds(part))
    print(f"{WORK.env}, {WORK.n_envs} environments, CPU microseconds for one env step")
    for name, each in found.items():
        print(f"{name.replace('_', ' '):20s} {min(each):6.1f}")


if __name__ == "__main__":
    main()
