"""rl_games' PPO learns CartPole, and goes on bit for bit when it is killed.

    python examples/adapters/rl_games_cartpole.py --n-epochs 10 --seed 3

Kill it and type the same again. Its agent is asked for one epoch at a time, where `runner.run`
would ask for all; the environments are in this process, as those that run on a GPU are.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import gymnasium as gym
import numpy as np
from rl_games.common import env_configurations, vecenv
from rl_games.common.ivecenv import IVecEnv
from rl_games.torch_runner import Runner

from garage_like import epochs

HORIZON, ENVS = 32, 8
NETWORK = {
    "name": "actor_critic",
    "separate": True,
    "space": {"discrete": None},
    "mlp": {"units": [32], "activation": "relu", "initializer": {"name": "default"}},
}
CONFIG = {
    "name": "cartpole",
    "env_name": "in_this_process",
    "reward_shaper": {"scale_value": 0.1},
    **{"num_actors": ENVS, "horizon_length": HORIZON, "minibatch_size": 64, "mini_epochs": 4},
    **{"learning_rate": 1e-3, "lr_schedule": "adaptive", "kl_threshold": 0.008},
    **{"gamma": 0.99, "tau": 0.95, "e_clip": 0.2, "entropy_coef": 0.0, "critic_coef": 1.0},
    **{"grad_norm": 1.0, "truncate_grads": True, "clip_value": True},
    **{"normalize_advantage": True, "normalize_input": True, "normalize_value": True},
    **{"device": "cpu", "device_name": "cpu", "multi_gpu": False},
}


class CartPoles(IVecEnv):
    """Environments of gymnasium, as rl_games steps them."""

    def __init__(self, name: str, number: int, seed: int = 0) -> None:
        self.envs: Any = gym.make_vec(
            "CartPole-v1",
            num_envs=number,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP},
        )
        self.envs.reset(seed=seed)

    def reset(self) -> np.ndarray:
        """Begin episodes."""
        return self.envs.reset()[0]

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
        """Do a step in each."""
        observation, reward, terminated, truncated, _ = self.envs.step(actions)
        ended = terminated | truncated
        return observation, reward.astype(np.float32), ended, {"time_outs": truncated}

    def get_env_info(self) -> dict[str, Any]:
        """Say what is seen and done."""
        return {
            "action_space": self.envs.single_action_space,
            "observation_space": self.envs.single_observation_space,
        }


@click.command()
@click.option("--n-epochs", default=40, show_default=True, help="Epochs in total.")
@click.option("--seed", default=1, show_default=True, help="Seed of networks and environments.")
@click.option("--log-dir", default="runs/rl_games", show_default=True, help="The run directory.")
def main(n_epochs: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    vecenv.register("IN_THIS_PROCESS", CartPoles)
    env_configurations.register("in_this_process", {"vecenv_type": "IN_THIS_PROCESS"})
    folder = Path(log_dir)
    runner = Runner()
    runner.load(
        {
            "params": {
                **{"seed": seed, "torch_threads": 1, "network": NETWORK},
                **{"algo": {"name": "a2c_discrete"}, "model": {"name": "discrete_a2c"}},
                "config": {
                    **CONFIG,
                    "env_config": {"seed": seed},
                    "train_dir": str(folder.parent),
                    "full_experiment_name": f"{folder.name}_of_rl_games",  # not one for each start
                },
            }
        }
    )
    agent = runner.algo_factory.create(runner.algo_name, base_name="run", params=runner.params)
    agent.init_tensors()
    agent.obs = agent.env_reset()
    run = SimpleNamespace(agent=agent)
    for _ in epochs(log_dir, n_epochs, vars(run)):
        agent = run.agent
        agent.update_epoch()
        agent.train_epoch()
        agent.dataset.update_values_dict(None)
        agent.frame += agent.curr_frames
    print(f"{run.agent.frame} frames, mean return {run.agent.game_rewards.get_mean()}")


if __name__ == "__main__":
    main()
