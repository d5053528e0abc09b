"""What is measured: the same work for every library, and one way to measure it.

A child process does one work through one library (`with_*.py`), builds everything first, and then
hands a function that trains to `measure`. Processor seconds are those of all threads of the process
while it trains: logging, snapshots and a writer thread count, imports and construction do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
import numpy as np


@dataclass(frozen=True)
class TrustRegion:
    """How TRPO finds its step.

    Attributes:
        max_kl: the mean KL that a step may cost.
        cg_iters: iterations of conjugate gradients.
        damping: added to the diagonal of the curvature.
        max_backtracks: lengths that the line search tries.
        backtrack_ratio: each of them, as a part of the one before.
    """

    max_kl: float = 0.01
    cg_iters: int = 10
    damping: float = 0.1
    max_backtracks: int = 10
    backtrack_ratio: float = 0.8


@dataclass(frozen=True)
class Work:
    """Hyper-parameters of one work; what has no meaning for it is None.

    Attributes:
        env: a gymnasium id.
        steps: env steps of a run that is only timed, once it is warm.
        warm: env steps before that, in which programs are compiled and modules loaded.
        learning_steps: env steps of a run whose return counts.
        n_envs: environments side by side.
        hidden: units of each hidden layer.
        learning_rate: of Adam, which moves the value function alone in TRPO.
        batch_size: transitions or steps in a minibatch.
        rollout: env steps between two updates of PPO or TRPO, of all environments together.
        passes: passes over a rollout, of TRPO's value function alone.
        gae_lambda: of PPO and TRPO.
        trust_region: of TRPO.
        memory: transitions that replay memory has room for.
        warm_up: random env steps before the first update.
        train_every: env steps for one gradient step.
        target_every: env steps between two updates of DQN's target.
        policy_delay: gradient steps of TD3 for one of its policy.
        epsilon: DQN's last exploration rate, and the part of the run in which it gets there.
        quantiles: TQC's, of each Q-function, and how many of them targets leave out.
    """

    env: str
    steps: int
    learning_steps: int
    warm: int = 1_152
    n_envs: int = 1
    hidden: tuple[int, int] = (64, 64)
    learning_rate: float = 3e-4
    batch_size: int = 64
    rollout: int | None = None
    passes: int | None = None
    gae_lambda: float | None = None
    trust_region: TrustRegion | None = None
    memory: int | None = None
    warm_up: int | None = None
    train_every: int | None = None
    target_every: int | None = None
    policy_delay: int | None = None
    epsilon: tuple[float, float] | None = None
    quantiles: tuple[int, int] | None = None


_PPO = {"rollout": 2048, "passes": 10, "gae_lambda": 0.95, "warm": 8_192}
_PPO_MANY = {
    "rollout": 65_536,
    "passes": 4,
    "gae_lambda": 0.95,
    "batch_size": 4096,
    "warm": 65_536,
}
_SAC = {
    "hidden": (256, 256),
    "batch_size": 256,
    "memory": 1_000_000,
    "warm_up": 1000,
    "train_every": 1,
}
WORKS = {
    "ppo": Work("CartPole-v1", 81_920, 100_000, **_PPO),
    "ppo8": Work("CartPole-v1", 81_920, 100_000, n_envs=8, **_PPO),
    "ppo128": Work("CartPole-v1", 262_144, 0, n_envs=128, **_PPO_MANY),
    "ppo2048": Work("CartPole-v1", 524_288, 0, n_envs=2048, **_PPO_MANY),
    "ppo4096": Work("CartPole-v1", 524_288, 0, n_envs=4096, **_PPO_MANY),
    "ppo8_wide": Work("CartPole-v1", 20_480, 0, n_envs=8, **{**_PPO, "hidden": (256, 256)}),
    "ppo8_large": Work("CartPole-v1", 81_920, 0, n_envs=8, **{**_PPO, "batch_size": 512}),
    "trpo": Work(
        "CartPole-v1",
        20_480,
        100_000,
        learning_rate=1e-3,
        batch_size=128,
        trust_region=TrustRegion(),
        **_PPO,
    ),
    "dqn": Work(
        "CartPole-v1",
        40_960,
        50_000,
        learning_rate=1e-3,
        memory=50_000,
        warm_up=1000,
        train_every=4,
        target_every=500,
        epsilon=(0.05, 0.2),
    ),
    "sac": Work("HalfCheetah-v5", 4_096, 0, **_SAC),
    "td3": Work("HalfCheetah-v5", 4_096, 0, policy_delay=2, **_SAC),
    "tqc": Work("HalfCheetah-v5", 2_048, 0, quantiles=(25, 2), **_SAC),
    "rollout": Work("CartPole-v1", 65_536, 0, **_PPO),
    "rollout8": Work("CartPole-v1", 65_536, 0, n_envs=8, **_PPO),
    "rollout64": Work("CartPole-v1", 262_144, 0, n_envs=64, **_PPO_MANY),
    "rollout2048": Work("CartPole-v1", 1_048_576, 0, n_envs=2048, **_PPO_MANY),
    "rollout4096": Work("CartPole-v1", 1_048_576, 0, n_envs=4096, **_PPO_MANY),
    "sac_pendulum": Work(
        "Pendulum-v1",
        5_000,
        20_000,
        hidden=(64, 64),
        learning_rate=1e-3,
        batch_size=256,
        memory=100_000,
        warm_up=1000,
        train_every=1,
    ),
}
DISCOUNT = 0.99
_KINDS = ("ppo", "trpo", "dqn", "sac", "td3", "tqc", "rollout")


def kind_of(work: str) -> str:
    """Return what a work is one of: of what builds it, and what it does."""
    return next(kind for kind in _KINDS if work.startswith(kind))


Act = Callable[[np.ndarray], Any]


class Clock:
    """Counts processor seconds; started again where a run is warm, it forgets what was before."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._began = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self._began


def arguments(library: str) -> argparse.Namespace:
    """Parse what every child process is told."""
    parser = argparse.ArgumentParser(description=f"Do one work through {library}.")
    parser.add_argument("work", choices=sorted(WORKS))
    parser.add_argument("--steps", type=int, help="env steps; the work's own if not given")
    parser.add_argument("--warm", type=int, default=0, help="env steps before the clock starts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evaluate", action="store_true", help="play 20 episodes at the end")
    given = parser.parse_args()
    if given.steps is None:
        given.steps = WORKS[given.work].steps
    return given


def measure(library: str, given: argparse.Namespace, train: Callable[[Clock], Act | None]) -> None:
    """Train, print one line of JSON.

    Args:
        library: its name and version.
        given: what `arguments` returned.
        train: trains, starts the clock again when it is warm, and returns what acts by the trained
            policy without noise.
    """
    work = WORKS[given.work]
    clock = Clock()
    act = train(clock)
    seconds = clock.seconds
    found = {
        "library": library,
        "work": given.work,
        "steps": given.steps,
        "seed": given.seed,
        "cpu_seconds": round(seconds, 3),
        "steps_per_cpu_second": round(given.steps / seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "hyper_parameters": asdict(work),
    }
    if given.evaluate and act is not None:
        found["return"] = evaluate(work.env, act)
    print(json.dumps(found), flush=True)


def evaluate(env_id: str, act: Act, episodes: int = 20) -> float:
    """Return the mean return of episodes played without noise."""
    env = gymnasium.make(env_id)
    total = 0.0
    for episode in range(episodes):
        observation, _ = env.reset(seed=10_000 + episode)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total += float(reward)
            over = terminated or truncated
    return round(total / episodes, 1)
