"""Measure how far a gradient step of SAC is from what its products of matrices take alone.

SAC of HalfCheetah, two layers of 256 units, minibatches of 256. In turns, in one process with one
thread: the products of 256 x 256 by 256 x 256 through NumPy (OpenBLAS) and torch (MKL, oneDNN), all
products of one gradient step and nothing between them, `env.step`, and the gradient steps of
garage_like, with analytic gradients and with autograd, and of Stable-Baselines3 where it is
installed, minibatches drawn and targets moved. Processor time counts, and the median of the rounds.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
import torch
from with_garage_like import sac
from works import WORKS

from garage_like.batches import StepType
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

    @property
    def flop(self) -> int:
        return 2 * self.rows * self.inner * self.columns


def forward(sizes: tuple[int, ...]) -> list[Product]:
    return [Product(ROWS, i, o) for i, o in itertools.pairwise(sizes)]


def of_weights(sizes: tuple[int, ...]) -> list[Product]:
    """Return the products of the gradients by the weights."""
    return [Product(i, ROWS, o) for i, o in itertools.pairwise(sizes)]


def of_inputs(sizes: tuple[int, ...]) -> list[Product]:
    """Return the products of the gradients by the inputs of each layer."""
    return [Product(ROWS, o, i) for i, o in itertools.pairwise(sizes)]


def products() -> list[Product]:
    """Return the products of one gradient step on two critics and the policy."""
    targets = forward(POLICY) + 2 * forward(CRITIC)
    critics = 2 * (forward(CRITIC) + of_weights(CRITIC) + of_inputs(CRITIC)[1:])
    through_critics = 2 * (forward(CRITIC) + of_inputs(CRITIC))
    policy = forward(POLICY) + of_weights(POLICY) + of_inputs(POLICY)[1:]
    return targets + critics + through_critics + policy


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


def all_products(make: Callable[[Product], Callable[[], Any]]) -> Callable[[], None]:
    made = [make(product) for product in products()]

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
        "reward": random.normal(size=1000),
        "next_observation": random.normal(size=(1000, OBSERVATION)),
        "step_type": np.full(1000, StepType.MID, np.uint8),
    }
    memory = algo.replay_buffer
    memory._append(rows, np.array([1000]), False, memory._table)
    return lambda: algo._take_gradient_step(memory.sample_transitions(ROWS))


def stable_baselines3_step() -> Callable[[], Any]:
    import with_sb3

    model = with_sb3.sac(replace(WORK, warm_up=10**9), 1, 1000)
    model.learn(1000)
    return lambda: model.train(gradient_steps=1, batch_size=ROWS)


def measured() -> dict[str, tuple[Callable[[], Any], int]]:
    """Return what is measured, by name, and how often it is done in one round."""
    cube = Product(256, 256, 256)
    found: dict[str, tuple[Callable[[], Any], int]] = {
        "256 x 256 x 256, NumPy": (numpy_product(cube), 40),
        "256 x 256 x 256, torch": (torch_product(cube), 40),
        "all products, NumPy": (all_products(numpy_product), 4),
        "all products, torch": (all_products(torch_product), 4),
        "env.step": (environment_step(), 20),
        "garage_like": (garage_like_step(True), 4),
        "garage_like, autograd": (garage_like_step(False), 4),
    }
    if importlib.util.find_spec("stable_baselines3"):
        found["Stable-Baselines3"] = (stable_baselines3_step(), 4)
    return found


def median_milliseconds(rounds: int) -> dict[str, float]:
    works = measured()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 3):
        for name, (work, repeats) in works.items():
            began = time.process_time()
            for _ in range(repeats):
                work()
            times[name].append(1e3 * (time.process_time() - began) / repeats)
    return {name: statistics.median(values[3:]) for name, values in times.items()}


def show(found: dict[str, float]) -> None:
    flop = sum(product.flop for product in products())
    cube = Product(256, 256, 256).flop
    cubes = sum(product == Product(256, 256, 256) for product in products())
    print(f"a gradient step of SAC: {len(products())} products, {flop / 1e9:.3f} GFLOP,")
    print(f"of which {cubes} products of 256 x 256 x 256 are {cubes * cube / 1e9:.3f} GFLOP\n")
    print("                               ms    GFLOP/s")
    for name, milliseconds in found.items():
        work = cube if name.startswith("256") else flop
        rate = "" if name == "env.step" else f"{work / milliseconds / 1e6:11.0f}"
        print(f"  {name:24}{milliseconds:9.3f}{rate}")
    best = cube / 1e6 / min(found[f"256 x 256 x 256, {name}"] for name in ("NumPy", "torch"))
    floor = min(found["all products, NumPy"], found["all products, torch"])
    print(
        f"\n{flop / 1e9:.3f} GFLOP at {best:.0f} GFLOP/s take {flop / 1e6 / best:.2f} ms; with the"
    )
    print(f"products as they are, {floor:.2f} ms. Times these {floor:.2f} ms:")
    for name in ("garage_like", "garage_like, autograd", "Stable-Baselines3"):
        if name in found:
            print(f"  {name:24}{found[name] / floor:9.2f}")
    if "Stable-Baselines3" in found:
        ratio = found["Stable-Baselines3"] / found["garage_like"]
        most = found["Stable-Baselines3"] / floor
        print(f"\ngarage_like is {ratio:.2f} times as fast as Stable-Baselines3;")
        print(f"what did nothing but multiply would be {most:.2f} times as fast, and twice as fast")
        rest = found["Stable-Baselines3"] / 2 - floor
        print(f"leaves {rest:.2f} ms for all that is not a product; here it takes", end=" ")
        print(f"{found['garage_like'] - floor:.2f} ms.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    show(median_milliseconds(given.rounds))


if __name__ == "__main__":
    main()
