"""Do PPO, DQN or SAC through tianshou, without progress bars and test episodes."""

from __future__ import annotations

import sys
from typing import Any

import gymnasium
import tianshou
import torch
from tianshou.algorithm import DQN, PPO, SAC
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy
from tianshou.algorithm.modelfree.sac import AutoAlpha, SACPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OffPolicyTrainerParams, OnPolicyTrainerParams
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic
from torch import nn
from works import DISCOUNT, WORKS, Clock, Work, arguments, kind_of, measure


def sizes(work: Work) -> tuple[Any, Any]:
    env = gymnasium.make(work.env)
    return env.observation_space, env.action_space


def ppo(work: Work, envs: Any, steps: int) -> tuple[Any, Any, Any]:
    observations, actions = sizes(work)

    def net() -> Net:
        return Net(state_shape=observations.shape, hidden_sizes=work.hidden, activation=nn.Tanh)

    actor = DiscreteActor(preprocess_net=net(), action_shape=actions.n, softmax_output=False)
    algorithm = PPO(
        policy=DiscreteActorPolicy(actor=actor, action_space=actions),
        critic=DiscreteCritic(preprocess_net=net()),
        optim=AdamOptimizerFactory(lr=work.learning_rate),
        gamma=DISCOUNT,
        gae_lambda=work.gae_lambda,
        ent_coef=0.0,
        max_grad_norm=0.5,
    )
    collector = Collector(algorithm, envs, VectorReplayBuffer(work.rollout, work.n_envs))
    params = OnPolicyTrainerParams(
        training_collector=collector,
        max_epochs=1,
        epoch_num_steps=steps,
        collection_step_num_env_steps=work.rollout,
        update_step_num_repetitions=work.passes,
        batch_size=work.batch_size,
        show_progress=False,
        verbose=False,
    )
    return algorithm, params, collector


def dqn(work: Work, envs: Any, steps: int) -> tuple[Any, Any, Any]:
    observations, actions = sizes(work)
    last, part = work.epsilon
    net = Net(state_shape=observations.shape, action_shape=actions.n, hidden_sizes=work.hidden)
    policy = DiscreteQLearningPolicy(model=net, action_space=actions, eps_training=1.0)
    algorithm = DQN(
        policy=policy,
        optim=AdamOptimizerFactory(lr=work.learning_rate),
        gamma=DISCOUNT,
        is_double=False,
        target_update_freq=work.target_every // work.train_every,
        huber_loss_delta=1.0,
    )
    collector = Collector(
        algorithm, envs, VectorReplayBuffer(work.memory, 1), exploration_noise=True
    )

    def explore(epoch: int, env_step: int) -> None:
        fraction = min(1.0, env_step / (part * steps))
        policy.set_eps_training(1.0 + fraction * (last - 1.0))

    return algorithm, off_policy_params(work, collector, steps, explore), collector


def sac(work: Work, envs: Any, steps: int) -> tuple[Any, Any, Any]:
    observations, actions = sizes(work)

    def net(concat: bool) -> Net:
        return Net(
            state_shape=observations.shape,
            action_shape=actions.shape if concat else 0,
            hidden_sizes=work.hidden,
            concat=concat,
        )

    adam = AdamOptimizerFactory(lr=work.learning_rate)
    actor = ContinuousActorProbabilistic(
        preprocess_net=net(False),
        action_shape=actions.shape,
        unbounded=True,
        conditioned_sigma=True,
    )
    algorithm = SAC(
        policy=SACPolicy(actor=actor, action_space=actions),
        policy_optim=adam,
        critic=ContinuousCritic(preprocess_net=net(True)),
        critic_optim=adam,
        critic2=ContinuousCritic(preprocess_net=net(True)),
        critic2_optim=adam,
        gamma=DISCOUNT,
        alpha=AutoAlpha(-float(actions.shape[0]), 0.0, adam),
    )
    collector = Collector(algorithm, envs, VectorReplayBuffer(work.memory, 1))
    return algorithm, off_policy_params(work, collector, steps, None), collector


def off_policy_params(work: Work, collector: Any, steps: int, explore: Any) -> Any:
    return OffPolicyTrainerParams(
        training_collector=collector,
        max_epochs=1,
        epoch_num_steps=steps - work.warm_up,
        collection_step_num_env_steps=work.train_every,
        update_step_num_gradient_steps_per_sample=1.0 / work.train_every,
        batch_size=work.batch_size,
        training_fn=explore,
        show_progress=False,
        verbose=False,
    )


BUILD = {"ppo": ppo, "dqn": dqn, "sac": sac}


def main() -> None:
    torch.set_num_threads(1)
    given = arguments("tianshou")
    work = WORKS[given.work]
    torch.manual_seed(given.seed)
    envs = DummyVectorEnv([lambda: gymnasium.make(work.env)] * work.n_envs)
    envs.seed(given.seed)
    algorithm, params, collector = BUILD[kind_of(given.work)](work, envs, given.steps)

    def train(clock: Clock) -> Any:
        collector.reset()
        if work.warm_up is not None:
            collector.collect(n_step=work.warm_up, random=True)
        algorithm.run_training(params)
        algorithm.policy.eval()
        return lambda observation: algorithm.policy.compute_action(observation)

    measure(f"tianshou {tianshou.__version__}", given, train)


if __name__ == "__main__":
    sys.exit(main())
