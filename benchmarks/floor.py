"""Measure how far a gradient step of SAC is from what its products of matrices take alone.

SAC of HalfCheetah, two layers of 256 units, minibatches of 256. In turns, in one process with one
thread: each product of one gradient step through NumPy (OpenBLAS) and torch (MKL, oneDNN) with
nothing around it, `env.step`, and the gradient steps of garage_like, with analytic gradients and
with autograd, and of Stable-Baselines3 where it is installed, minibatches drawn and targets moved.
The floor takes each product from the faster of the two, and the fewest rows: the policy's gradient
goes back through the lesser of the critics alone, half the rows for each. Processor time counts,
and the median of the rounds.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
import torch
from with_garage_like import sac
from works import WORKS

from garage_like.data.batches import StepType
from garage_like.envs import GymEnv
from garage_like.seeding import set_seed

WORK = replace(WORKS["sac"], memory=10_000)
ROWS = WORK.batch_size
OBSERVATION, ACTION = 17, 6
POLICY = (OBSERVATION, *WORK.hidden, 2 * ACTION)
CRITIC = (OBSERVATION + ACTION, *WORK.hidden, 1)


@dataclass(frozen=True)
class Product:
    """A product of two matrices, (rows, inner) by (inner, columns)."""

    rows: int
    inner: int
    columns: int

    def __str__(self) -> str:
        return f"{self.rows} x {self.inner} x {self.columns}"

    @property
    def flop(self) -> int:
        return 2 * self.rows * self.inner * self.columns


def forward(sizes: tuple[int, ...]) -> list[Product]:
    return [Product(ROWS, i, o) for i, o in itertools.pairwise(sizes)]


def backward(sizes: tuple[int, ...]) -> list[Product]:
    """Return the products of the gradients by weights, and by the inputs of all layers but one."""
    pairs = list(itertools.pairwise(sizes))
    by_weights = [Product(i, ROWS, o) for i, o in pairs]
    return by_weights + [Product(ROWS, o, i) for i, o in pairs[1:]]


def products() -> Counter[Product]:
    """Count the products of one gradient step on two critics and the policy."""
    targets = forward(POLICY) + 2 * forward(CRITIC)
    critics = 2 * (forward(CRITIC) + backward(CRITIC))
    by_actions = (ACTION, *CRITIC[1:])
    through_critics = [Product(ROWS // 2, o, i) for i, o in itertools.pairwise(by_actions)]
    policy = forward(POLICY) + 2 * (forward(CRITIC) + through_critics) + backward(POLICY)
    return Counter(targets + critics + policy)


def numpy_product(product: Product) -> Callable[[], Any]:
    random = np.random.default_rng(1).random
    left = random((product.rows, product.inner), np.float32)
    right = random((product.inner, product.columns), np.float32)
    out = np.empty((product.rows, product.columns), np.float32)
    return lambda: np.matmul(left, right, out=out)


def torch_product(product: Product) -> Callable[[], Any]:
    left, right = (
        torch.rand(product.rows, product.inner),
        torch.rand(product.inner, product.columns),
    )
    out = torch.empty(product.rows, product.columns)
    return lambda: torch.mm(left, right, out=out)


def all_products() -> Callable[[], None]:
    """Multiply all matrices of a gradient step, each in its own memory, as the kernels do."""
    made = [
        (torch_product if product.flop > 1 << 20 else numpy_product)(product)
        for product in products().elements()
    ]

    def multiply() -> None:
        for product in made:
            product()

    return multiply


def environment_step() -> Callable[[], Any]:
    env = gymnasium.make(WORK.env)
    env.reset(seed=1)
    actions = np.random.default_rng(1).uniform(-1, 1, (1000, ACTION)).astype(np.float32)
    steps = iter(range(10**9))

    def step() -> None:
        number = next(steps) % 1000  # as long as an episode of HalfCheetah
        if not number:
            env.reset()
        env.step(actions[number])

    return step


def garage_like_step(fast: bool) -> Callable[[], Any]:
    os.environ["GARAGE_LIKE_FAST_PATH"] = "1" if fast else "0"
    set_seed(1)
    env = GymEnv(WORK.env)
    algo, _, _ = sac(WORK, env, WORK.steps)
    del os.environ["GARAGE_LIKE_FAST_PATH"]
    random = np.random.default_rng(1)
    rows = {
        "observation": random.normal(size=(1000, OBSERVATION)),
        "action": random.uniform(-1, 1, (1000, ACTION)),
        "reward": random.normal(size=(1000, 1)),
        "next_observation": random.normal(size=(1000, OBSERVATION)),
        "step_type": np.full((1000, 1), StepType.MID, np.uint8),
    }
    memory = algo.replay_buffer
    memory.add_path(rows)
    return lambda: algo._take_gradient_step(memory.sample_transitions(ROWS))


def stable_baselines3_step() -> Callable[[], Any]:
    import with_sb3

    model = with_sb3.sac(replace(WORK, warm_up=10**9), 1, 1000)
    model.learn(1000)
    return lambda: model.train(gradient_steps=1, batch_size=ROWS)


def measured(alone: bool) -> dict[str, tuple[Callable[[], Any], int]]:
    """Return what is measured, by name, and how often it is done in one round."""
    found: dict[str, tuple[Callable[[], Any], int]] = {}
    for product in products():
        found[f"{product}, NumPy"] = numpy_product(product), 10
        found[f"{product}, torch"] = torch_product(product), 10
    found |= {
        "products in a row": (all_products(), 4),
        "env.step": (environment_step(), 20),
        "garage_like": (garage_like_step(True), 4),
        "garage_like, autograd": (garage_like_step(False), 4),
    }
    if not alone and importlib.util.find_spec("stable_baselines3"):
        found["Stable-Baselines3"] = (stable_baselines3_step(), 4)
    return found


def median_milliseconds(rounds: int, alone: bool) -> dict[str, float]:
    works = measured(alone)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 3):
        for name, (work, repeats) in works.items():
            began = time.process_time()
            for _ in range(repeats):
                work()
            times[name].append(1e3 * (time.process_time() - began) / repeats)
    return {name: statistics.median(values[3:]) for name, values in times.items()}


def show(found: dict[str, float]) -> None:
    count = products()
    flop = sum(product.flop * times for product, times in count.items())
    print(f"a gradient step of SAC: {count.total()} products of matrices, {flop / 1e9:.3f} GFLOP\n")
    print(f"  {'rows x inner x columns':24}{'times':>6}{'NumPy':>10}{'torch':>10}   GFLOP/s")
    floor = 0.0
    for product, times in sorted(count.items(), key=lambda item: -item[0].flop):
        milliseconds = [found[f"{product}, {library}"] for library in ("NumPy", "torch")]
        rates = "".join(f"{product.flop / each / 1e6:10.0f}" for each in milliseconds)
        print(f"  {product!s:24}{times:6}{rates}")
        floor += times * min(milliseconds)
    print(f"\n  {'':28}{'ms':>8}   GFLOP/s   times the floor")
    for name, each in {"floor: products alone": floor, **found}.items():
        if " x " not in name and name != "env.step":
            print(f"  {name:28}{each:8.2f}{flop / each / 1e6:10.0f}{each / floor:18.2f}")
    print(f"  {'env.step':28}{found['env.step']:8.2f}")
    ours, peer = found["garage_like"], found.get("Stable-Baselines3")
    if peer:
        print(
            f"\ngarage_like is {peer / ours:.2f} times as fast as Stable-Baselines3, the floor is"
        )
        print(
            f"{peer / floor:.2f} times. Twice as fast leaves {peer / 2 - floor:.2f} ms beside it,"
        )
        print(f"of which garage_like takes {ours - floor:.2f} ms.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--alone", action="store_true", help="without Stable-Baselines3")
    given = parser.parse_args()
    torch.set_num_threads(1)
    show(median_milliseconds(given.rounds, given.alone))


if __name__ == "__main__":
    main()
