"""Do PPO or SAC through skrl, as its documentation shows it, without progress bars."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import gymnasium
import skrl
import torch
from skrl import logger
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.agents.torch.sac import SAC, SAC_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg
from torch import nn
from works import DISCOUNT, WORKS, Clock, Work, arguments, kind_of, measure


def perceptron(inputs: int, outputs: int, work: Work, nonlinearity: type[nn.Module]) -> nn.Module:
    first, second = work.hidden
    return nn.Sequential(
        nn.Linear(inputs, first),
        nonlinearity(),
        nn.Linear(first, second),
        nonlinearity(),
        nn.Linear(second, outputs),
    )


class Categorical(CategoricalMixin, Model):
    def __init__(self, env: Any, work: Work) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        CategoricalMixin.__init__(self, unnormalized_log_prob=True)
        self.net = perceptron(self.num_observations, self.num_actions, work, nn.Tanh)

    def compute(self, inputs: Any, role: str = "") -> Any:
        return self.net(inputs["observations"]), {}


class Squashed(GaussianMixin, Model):
    def __init__(self, env: Any, work: Work) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        GaussianMixin.__init__(self, clip_actions=True)
        self.net = perceptron(self.num_observations, self.num_actions, work, nn.ReLU)
        self.log_std = nn.Parameter(torch.zeros(self.num_actions))

    def compute(self, inputs: Any, role: str = "") -> Any:
        return torch.tanh(self.net(inputs["observations"])), {"log_std": self.log_std}


class Value(DeterministicMixin, Model):
    def __init__(self, env: Any, work: Work) -> None:
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        DeterministicMixin.__init__(self)
        self.net = perceptron(self.num_observations, 1, work, nn.Tanh)

    def compute(self, inputs: Any, role: str = "") -> Any:
        return self.net(inputs["observations"]), {}


class QValue(Value):
    def __init__(self, env: Any, work: Work) -> None:
        super().__init__(env, work)
        self.net = perceptron(self.num_observations + self.num_actions, 1, work, nn.ReLU)

    def compute(self, inputs: Any, role: str = "") -> Any:
        return self.net(torch.cat([inputs["observations"], inputs["taken_actions"]], dim=1)), {}


def ppo(work: Work, env: Any, directory: str) -> Any:
    rollouts = work.rollout // work.n_envs
    cfg = PPO_CFG(
        rollouts=rollouts,
        learning_epochs=work.passes,
        mini_batches=work.rollout // work.batch_size,
        discount_factor=DISCOUNT,
        gae_lambda=work.gae_lambda,
        learning_rate=work.learning_rate,
    )
    cfg.experiment.directory = directory
    models = {"policy": Categorical(env, work), "value": Value(env, work)}
    memory = RandomMemory(memory_size=rollouts, num_envs=env.num_envs)
    return PPO(
        models=models,
        memory=memory,
        cfg=cfg,
        observation_space=env.observation_space,
        action_space=env.action_space,
        device="cpu",
    )


def sac(work: Work, env: Any, directory: str) -> Any:
    cfg = SAC_CFG(
        batch_size=work.batch_size,
        discount_factor=DISCOUNT,
        learning_rate=work.learning_rate,
        learning_starts=work.warm_up,
        random_timesteps=work.warm_up,
        learn_entropy=True,
    )
    cfg.experiment.directory = directory
    critics = ("critic_1", "critic_2", "target_critic_1", "target_critic_2")
    models = {"policy": Squashed(env, work), **{name: QValue(env, work) for name in critics}}
    return SAC(
        models=models,
        memory=RandomMemory(memory_size=100_000, num_envs=1),
        cfg=cfg,
        observation_space=env.observation_space,
        action_space=env.action_space,
        device="cpu",
    )


BUILD = {"ppo": ppo, "sac": sac}


def main() -> None:
    torch.set_num_threads(1)
    logger.setLevel("ERROR")
    given = arguments("skrl")
    work = WORKS[given.work]
    torch.manual_seed(given.seed)
    made = (
        gymnasium.make(work.env)
        if work.n_envs == 1
        else gymnasium.make_vec(work.env, num_envs=work.n_envs, vectorization_mode="sync")
    )
    env = wrap_env(made, verbose=False)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        agent = BUILD[kind_of(given.work)](work, env, directory)
        cfg = SequentialTrainerCfg(
            timesteps=given.steps // work.n_envs,
            headless=True,
            disable_progressbar=True,
            close_environment_at_exit=False,
        )
        trainer = SequentialTrainer(cfg=cfg, env=env, agents=agent)

        def train(clock: Clock) -> Any:
            trainer.train()
            return greedy

        def greedy(observation: Any) -> Any:
            with torch.no_grad():
                rows = torch.as_tensor(observation, dtype=torch.float32)[None]
                return int(agent.policy.net(rows).argmax())

        if work.warm_up is not None:
            given.evaluate = False
        measure(f"skrl {skrl.__version__}", given, train)


if __name__ == "__main__":
    sys.exit(main())
