"""Train AMP on Swimmer-v5: move as a reference does, which a wave of torques makes first.

python examples/torch/amp_swimmer.py --seed 1
"""

import click
import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.sampler import LocalSampler, VecWorker
from garage_like.torch.algos import AMP
from garage_like.torch.policies import GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction

FEATURES = (1, 2, 6, 7)  # angles of both joints, and how fast they turn


def swim(env, steps, period=40):
    """Return what the joints do, shape (steps, 4), under torques that run down the body."""
    clip = np.zeros((steps, len(FEATURES)))
    env.reset(seed=0)
    for step in range(steps):
        phase = 2 * np.pi * step / period
        seen = env.step(0.8 * np.sin([phase, phase - np.pi / 2])).observation
        clip[step] = seen[list(FEATURES)]
    return clip[period:]  # the first wave only gets it going


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all randomness derives from.")
@click.option("--n-epochs", default=25, show_default=True, help="Epochs in total.")
@click.option("--batch-size", default=2000, show_default=True, help="Env steps of an epoch.")
@wrap_experiment
def amp_swimmer(ctxt=None, *, seed, n_epochs, batch_size):
    """Train AMP on Swimmer-v5, by style alone."""
    set_seed(seed)
    env = GymEnv("Swimmer-v5", max_episode_length=200)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(32, 32), init_std=0.5)
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=(32, 32))
    algo = AMP(
        env.spec,
        policy,
        value_function,
        LocalSampler(policy, env, worker_class=VecWorker),
        motion=[swim(GymEnv("Swimmer-v5", max_episode_length=400), 240)],
        features=FEATURES,
        task_reward_weight=0.0,
        style_reward_weight=1.0,
        gradient_penalty=1.0,
        discount=0.95,
    )

    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs, batch_size)


if __name__ == "__main__":
    amp_swimmer()
