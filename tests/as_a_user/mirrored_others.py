"""Runs with a mirror that are no wrapped SAC: `mirrored_others.py ppo|sb3|epochs URL`.

SLOW says how long an epoch takes at least; no number depends on it.
"""

import os
import sys
import time

import gymnasium as gym
import numpy as np
import torch

WHAT, URL = sys.argv[1:]


def wait():
    time.sleep(float(os.environ.get("SLOW", "0")))


def ppo():
    from garage_like import Trainer, wrap_experiment
    from garage_like.envs import GymEnv
    from garage_like.experiment.deterministic import set_seed
    from garage_like.np.baselines import LinearFeatureBaseline
    from garage_like.sampler import LocalSampler
    from garage_like.torch.algos import PPO
    from garage_like.torch.policies import CategoricalMLPPolicy

    class Slow(PPO):
        def train_epoch(self, trainer):
            wait()
            return super().train_epoch(trainer)

    @wrap_experiment(auto_resume=True, mirror=URL, log_dir="run", archive_launch_repo=False)
    def run(ctxt):
        set_seed(1)
        env = GymEnv("CartPole-v1", max_episode_length=40)
        policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(8,))
        algo = Slow(env.spec, policy, LinearFeatureBaseline(env.spec), LocalSampler(policy, env))
        trainer = Trainer(ctxt)
        trainer.setup(algo, env)
        trainer.train(n_epochs=8, batch_size=60)

    run()


def sb3():
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    from garage_like.adapters import sb3

    class Slow(BaseCallback):
        def _on_step(self):
            return True

        def _on_rollout_start(self):
            wait()

    model = PPO("MlpPolicy", "CartPole-v1", seed=1, n_steps=32, batch_size=16, device="cpu")
    sb3.learn(model, 256, "run", callback=Slow(), options={"mirror": URL})


def epochs():
    from garage_like import epochs

    torch.manual_seed(1)
    np.random.seed(1)
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.Adam(net.parameters())
    env = gym.make("CartPole-v1")
    observation, _ = env.reset(seed=1)
    losses = []
    for _ in epochs("run", 8, locals(), mirror=URL):
        wait()
        optimizer.zero_grad()
        loss = net(torch.as_tensor(observation)).square().sum()
        loss.backward()
        optimizer.step()
        observation, *_ = env.step(int(np.random.randint(2)))
        losses.append(float(loss))


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"ppo": ppo, "sb3": sb3, "epochs": epochs}[WHAT]()
