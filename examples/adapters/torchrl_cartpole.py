"""PPO of TorchRL's parts learns CartPole, and goes on bit for bit when it is killed.

    python examples/adapters/torchrl_cartpole.py --n-epochs 20 --seed 3

Kill it and type the same again. Rollouts are the environment's own: a collector of TorchRL keeps
where it is in a generator, which no process can hand to another.
"""

from types import SimpleNamespace

import click
import torch
from tensordict.nn import TensorDictModule
from torchrl.envs import GymEnv, StepCounter, TransformedEnv
from torchrl.modules import ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from garage_like import epochs


def perceptron(n_outputs: int) -> torch.nn.Module:
    """Return what actor and critic are made of."""
    layers = torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, n_outputs)
    return torch.nn.Sequential(*layers)


@click.command()
@click.option("--n-epochs", default=20, show_default=True, help="Epochs in total.")
@click.option("--epoch-steps", default=512, show_default=True, help="Env steps of an epoch.")
@click.option("--seed", default=1, show_default=True, help="Seed of networks and environment.")
@click.option("--log-dir", default="runs/torchrl", show_default=True, help="The run directory.")
def main(n_epochs: int, epoch_steps: int, seed: int, log_dir: str) -> None:
    """Train, from where an earlier start came to."""
    torch.manual_seed(seed)
    env = TransformedEnv(GymEnv("CartPole-v1", categorical_action_encoding=True), StepCounter())
    env.set_seed(seed)
    logits = TensorDictModule(perceptron(2), in_keys=["observation"], out_keys=["logits"])
    actor = ProbabilisticActor(
        logits,
        in_keys=["logits"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    critic = ValueOperator(perceptron(1), in_keys=["observation"])
    run = SimpleNamespace(env=env, actor=actor, loss=ClipPPOLoss(actor, critic))
    run.advantage = GAE(gamma=0.99, lmbda=0.95, value_network=critic)
    run.optimizer = torch.optim.Adam(run.loss.parameters(), lr=1e-3)
    run.place = env.reset()
    for _ in epochs(log_dir, n_epochs, vars(run)):
        train_epoch(run, epoch_steps)
    print(f"steps of the longest episode: {run.longest}")


def train_epoch(run: SimpleNamespace, steps: int) -> None:
    """Play on from where the last epoch came to, and take a few gradient steps."""
    options = {"auto_reset": False, "break_when_any_done": False, "tensordict": run.place}
    with torch.no_grad():
        played = run.env.rollout(steps, run.actor, **options)
        run.place = run.env.step_mdp(played[-1])
        run.place = run.env.maybe_reset(run.place)
        run.advantage(played)
    run.longest = int(played["next", "step_count"].max())
    for _ in range(4):
        for rows in torch.randperm(steps).split(steps // 4):
            losses = run.loss(played[rows])
            loss = losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]
            run.optimizer.zero_grad()
            loss.backward()
            run.optimizer.step()


if __name__ == "__main__":
    main()
