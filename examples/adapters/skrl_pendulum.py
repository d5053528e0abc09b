"""skrl's PPO or SAC swings a pendulum up, and goes on bit for bit when it is killed.

    python examples/adapters/skrl_pendulum.py --algorithm sac --timesteps 8000 --seed 3

Kill it and type the same again. skrl's `StepTrainer` is asked for one step at a time, as it is
meant to be; an epoch is so many of them.
"""

from types import SimpleNamespace
from typing import Any

import click
import gymnasium as gym
import torch
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.agents.torch.sac import SAC, SAC_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import StepTrainer, StepTrainerCfg
from skrl.utils import set_seed

from garage_like import epochs

STEPS_PER_EPOCH = 32
CRITICS = ("critic_1", "critic_2", "target_critic_1", "target_critic_2")


class Actor(GaussianMixin, Model):
    """Say how far to push, and how sure that is."""

    def __init__(self, env: Any) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        GaussianMixin.__init__(self, clip_actions=True)
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 32), torch.nn.Tanh())
        self.mean, self.log_std = torch.nn.Linear(32, 1), torch.nn.Parameter(torch.zeros(1))

    def compute(self, inputs: Any, role: str = "") -> Any:  # pyright: ignore
        """Return the mean, and what the distribution needs besides."""
        mean = 2 * torch.tanh(self.mean(self.net(inputs["observations"])))
        return mean, {"log_std": self.log_std}


class Critic(DeterministicMixin, Model):
    """Value an observation, or with `n_inputs=4` an action there."""

    def __init__(self, env: Any, n_inputs: int) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        DeterministicMixin.__init__(self)
        layers = torch.nn.Linear(n_inputs, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
        self.n_inputs, self.net = n_inputs, torch.nn.Sequential(*layers)

    def compute(self, inputs: Any, role: str = "") -> Any:  # pyright: ignore
        """Return the value."""
        parts = [inputs["observations"], inputs.get("taken_actions")][: self.n_inputs - 2]
        return self.net(torch.cat(parts, dim=1)), {}


@click.command()
@click.option("--algorithm", type=click.Choice(["ppo", "sac"]), default="ppo", help="Which one.")
@click.option("--timesteps", default=8_000, show_default=True, help="Steps of each environment.")
@click.option("--seed", default=1, show_default=True, help="Seed of models and environments.")
@click.option("--log-dir", default="runs/skrl", show_default=True, help="The run directory.")
def main(algorithm: str, timesteps: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    set_seed(seed)
    env: Any = wrap_env(gym.make_vec("Pendulum-v1", 2, vectorization_mode="sync"), verbose=False)
    critics = (
        {"value": Critic(env, 3)} if algorithm == "ppo" else {n: Critic(env, 4) for n in CRITICS}
    )
    agent_class: Any = PPO if algorithm == "ppo" else SAC
    agent = agent_class(
        models={"policy": Actor(env), **critics},
        memory=RandomMemory(memory_size=32 if algorithm == "ppo" else 5_000, num_envs=2),
        cfg=PPO_CFG(rollouts=32) if algorithm == "ppo" else SAC_CFG(learning_starts=64),
        observation_space=env.observation_space,
        action_space=env.action_space,
    )
    options = {"timesteps": timesteps, "headless": True, "disable_progressbar": True}
    run = SimpleNamespace(trainer=StepTrainer(cfg=StepTrainerCfg(**options), env=env, agents=agent))
    for i in epochs(log_dir, timesteps // STEPS_PER_EPOCH, vars(run)):
        for step in range(i * STEPS_PER_EPOCH, (i + 1) * STEPS_PER_EPOCH):
            run.trainer.train(timestep=step, timesteps=timesteps)
    (agent,) = run.trainer.agents
    print(f"mean return of the last episodes: {sum(agent._track_rewards) / 100:.1f}")


if __name__ == "__main__":
    main()
