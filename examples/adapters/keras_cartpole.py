"""DQN in Keras learns CartPole, and goes on bit for bit when it is killed.

    python examples/adapters/keras_cartpole.py --n-epochs 20 --seed 3

Kill it and type the same again. Model, optimizer and memory are objects as any others.
"""

from collections import deque
from types import SimpleNamespace

import click
import gymnasium as gym
import keras
import numpy as np

from garage_like import epochs


@click.command()
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@click.option("--epoch-steps", default=200, show_default=True, help="Env steps of an epoch.")
@click.option("--seed", default=1, show_default=True, help="Seed of network and environment.")
@click.option("--log-dir", default="runs/keras", show_default=True, help="The run directory.")
def main(n_epochs: int, epoch_steps: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers.Dense(32, "relu"), keras.layers.Dense(2)
    run = SimpleNamespace(env=gym.make("CartPole-v1"), model=keras.Sequential(layers))
    run.model.build((None, 4))
    run.model.compile(keras.optimizers.Adam(1e-3), "mse")
    run.memory, run.rng, run.returns = deque(maxlen=2_000), np.random.default_rng(seed), [0.0]
    run.observation, _ = run.env.reset(seed=seed)
    for _ in epochs(log_dir, n_epochs, vars(run)):
        for _ in range(epoch_steps):
            step(run)
        learn(run)
    print(f"mean return of the last episodes: {np.mean(run.returns[-21:-1]):.1f}")


def step(run: SimpleNamespace) -> None:
    """Act once, greedily most of the time, and remember."""
    action = int(run.rng.integers(2))
    if run.rng.random() > 0.1:
        action = int(np.argmax(run.model(run.observation[None])[0]))
    before = run.observation
    run.observation, reward, terminated, truncated, _ = run.env.step(action)
    run.memory.append((before, action, reward, run.observation, terminated))
    run.returns[-1] += float(reward)
    if terminated or truncated:
        run.observation, _ = run.env.reset()
        run.returns.append(0.0)


def learn(run: SimpleNamespace) -> None:
    """Take a few gradient steps on what is remembered."""
    for _ in range(8):
        rows = [run.memory[i] for i in run.rng.integers(len(run.memory), size=64)]
        before, actions, rewards, after, ended = map(np.array, zip(*rows, strict=True))
        best = np.max(run.model(after), axis=1)
        goals = np.array(run.model(before))
        goals[np.arange(64), actions] = rewards + 0.99 * best * ~ended
        run.model.train_on_batch(before, goals)


if __name__ == "__main__":
    main()
