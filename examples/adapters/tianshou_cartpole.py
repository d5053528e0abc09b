"""tianshou's PPO learns CartPole, and goes on bit for bit when it is killed.

    python examples/adapters/tianshou_cartpole.py --n-epochs 10 --seed 3

Kill it and type the same again. Needs tianshou 2. Its trainer is asked for one epoch at a time,
where `algorithm.run_training(params)` would ask for all.
"""

from types import SimpleNamespace

import click
import gymnasium as gym
import numpy as np
import torch
from tianshou.algorithm.modelfree.ppo import PPO
from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils.net.common import Net
from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic

from garage_like import epochs


def net() -> Net:
    """Return what actor and critic begin with."""
    return Net(state_shape=(4,), hidden_sizes=[32])


@click.command()
@click.option("--n-epochs", default=10, show_default=True, help="Epochs in total.")
@click.option("--epoch-steps", default=2_000, show_default=True, help="Env steps of an epoch.")
@click.option("--seed", default=1, show_default=True, help="Seed of networks and environments.")
@click.option("--log-dir", default="runs/tianshou", show_default=True, help="The run directory.")
def main(n_epochs: int, epoch_steps: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # minibatches are drawn from it
    envs = DummyVectorEnv([lambda: gym.make("CartPole-v1")] * 2)
    envs.seed(seed)
    actor = DiscreteActor(preprocess_net=net(), action_shape=2, softmax_output=False)
    algorithm = PPO(
        policy=DiscreteActorPolicy(actor=actor, action_space=envs.action_space[0]),
        critic=DiscreteCritic(preprocess_net=net()),
        optim=AdamOptimizerFactory(lr=1e-3),
    )
    params = OnPolicyTrainerParams(
        training_collector=Collector(algorithm, envs, VectorReplayBuffer(epoch_steps, 2)),
        max_epochs=n_epochs,
        epoch_num_steps=epoch_steps,
        collection_step_num_env_steps=epoch_steps // 4,
        update_step_num_repetitions=4,
        show_progress=False,
        verbose=False,
    )
    run = SimpleNamespace(trainer=algorithm.create_trainer(params))
    run.trainer.reset()
    for _ in epochs(log_dir, n_epochs, vars(run)):
        run.trainer.execute_epoch()
    print(f"{run.trainer._env_step} env steps")


if __name__ == "__main__":
    main()
