"""Do one work through garage_like, everything on: logs, and snapshots at their pace."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from works import DISCOUNT, WORKS, Clock, TrustRegion, Work, arguments, kind_of, measure

import garage_like
from garage_like import Trainer
from garage_like.envs import GymEnv
from garage_like.logging import RunLogs
from garage_like.np.exploration_policies import AddGaussianNoise, EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.seeding import set_seed
from garage_like.snapshot import SnapshotConfig
from garage_like.torch.algos import DQN, PPO, SAC, TD3, TQC, TRPO
from garage_like.torch.optimizers import ConjugateGradientOptimizer, OptimizerWrapper
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicMLPPolicy,
    DiscreteQFArgmaxPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import (
    ContinuousMLPQFunction,
    DiscreteMLPQFunction,
    QuantileMLPQFunction,
)
from garage_like.torch.value_functions import GaussianMLPValueFunction

OFF_POLICY_EPOCH = 1024


def fragments(policy: Any, env: GymEnv, work: Work) -> LocalSampler:
    return LocalSampler(policy, env, n_envs=work.n_envs)


def ppo(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    """Build PPO, or TRPO where the work has a trust region."""
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=work.hidden)
    value_function = GaussianMLPValueFunction(env.spec, hidden_sizes=work.hidden)
    region = work.trust_region
    algo = (TRPO if region else PPO)(
        env.spec,
        policy,
        value_function,
        fragments(policy, env, work),
        policy_optimizer=(
            OptimizerWrapper((ConjugateGradientOptimizer, conjugate_gradients(region)), policy)
            if region
            else adam(policy, work)
        ),
        vf_optimizer=adam(value_function, work),
        discount=DISCOUNT,
        gae_lambda=work.gae_lambda,
    )
    return algo, -(-steps // work.rollout), work.rollout


def adam(module: Any, work: Work) -> OptimizerWrapper:
    import torch

    return OptimizerWrapper(
        (torch.optim.Adam, {"lr": work.learning_rate}),
        module,
        max_optimization_epochs=work.passes,
        minibatch_size=work.batch_size,
    )


def conjugate_gradients(region: TrustRegion) -> dict[str, Any]:
    """Return the arguments of a ConjugateGradientOptimizer."""
    return {
        "max_constraint_value": region.max_kl,
        "cg_iters": region.cg_iters,
        "max_backtracks": region.max_backtracks,
        "backtrack_ratio": region.backtrack_ratio,
        "hvp_reg_coeff": region.damping,
    }


def tf_ppo(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    """Build PPO in TensorFlow, or TRPO where the work has a trust region."""
    from garage_like.tf import algos, optimizers
    from garage_like.tf.baselines import GaussianMLPBaseline
    from garage_like.tf.policies import CategoricalMLPPolicy

    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=work.hidden)
    baseline = GaussianMLPBaseline(env.spec, hidden_sizes=work.hidden)
    first_order = (optimizers.Adam, {"lr": work.learning_rate})
    plan = (work.passes, work.batch_size)
    if work.trust_region:
        region = conjugate_gradients(work.trust_region)
        optimizer = optimizers.OptimizerWrapper(
            (optimizers.ConjugateGradientOptimizer, region), policy
        )
    else:
        optimizer = optimizers.OptimizerWrapper(first_order, policy, *plan)
    algo = (algos.TRPO if work.trust_region else algos.PPO)(
        env.spec,
        policy,
        baseline,
        fragments(policy, env, work),
        policy_optimizer=optimizer,
        vf_optimizer=optimizers.OptimizerWrapper(first_order, baseline, *plan),
        discount=DISCOUNT,
        gae_lambda=work.gae_lambda,
    )
    return algo, -(-steps // work.rollout), work.rollout


def off_policy_options(work: Work) -> dict[str, Any]:
    return {
        "steps_per_epoch": OFF_POLICY_EPOCH // work.train_every,
        "gradient_steps_per_itr": 1,
        "buffer_batch_size": work.batch_size,
        "min_buffer_size": work.warm_up,
        "discount": DISCOUNT,
        "num_evaluation_episodes": 0,
    }


def dqn(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    qf = DiscreteMLPQFunction(env.spec, hidden_sizes=work.hidden)
    return q_learning(DQN, DiscreteQFArgmaxPolicy(qf, env.spec), work, env, steps)


def tf_dqn(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    from garage_like.tf import algos, policies, q_functions

    qf = q_functions.DiscreteMLPQFunction(env.spec, hidden_sizes=work.hidden)
    policy = policies.DiscreteQFArgmaxPolicy(qf, env.spec)
    return q_learning(algos.DQN, policy, work, env, steps)


def q_learning(cls: Any, policy: Any, work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    last, part = work.epsilon
    algo = cls(
        env.spec,
        policy,
        policy.qf,
        PathBuffer(work.memory, env.spec),
        exploration_policy=EpsilonGreedyPolicy(
            env.spec, policy, total_timesteps=steps, min_epsilon=last, decay_ratio=part
        ),
        double_q=False,
        qf_lr=work.learning_rate,
        target_update_freq=work.target_every // work.train_every,
        **off_policy_options(work),
    )
    return algo, steps // OFF_POLICY_EPOCH, work.train_every


def sac(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    """Build SAC, or TQC where the work has quantiles."""
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=work.hidden)
    memory = PathBuffer(work.memory, env.spec)
    rates = {"policy_lr": work.learning_rate, "qf_lr": work.learning_rate}
    options = {**off_policy_options(work), **rates}
    if work.quantiles:
        n_quantiles, dropped = work.quantiles
        qfs = [QuantileMLPQFunction(env.spec, n_quantiles, work.hidden) for _ in range(2)]
        algo = TQC(env.spec, policy, qfs, memory, top_quantiles_to_drop_per_net=dropped, **options)
    else:
        qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=work.hidden) for _ in range(2)]
        algo = SAC(env.spec, policy, *qfs, memory, **options)
    return algo, steps // OFF_POLICY_EPOCH, work.train_every


def td3(work: Work, env: GymEnv, steps: int) -> tuple[Any, int, int]:
    policy = DeterministicMLPPolicy(env.spec, hidden_sizes=work.hidden)
    qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=work.hidden) for _ in range(2)]
    algo = TD3(
        env.spec,
        policy,
        *qfs,
        PathBuffer(work.memory, env.spec),
        exploration_policy=AddGaussianNoise(env.spec, policy, steps, max_sigma=0.1, min_sigma=0.1),
        policy_lr=work.learning_rate,
        qf_lr=work.learning_rate,
        update_actor_interval=work.policy_delay,
        **off_policy_options(work),
    )
    return algo, steps // OFF_POLICY_EPOCH, work.train_every


def roll_out(algo: Any, work: Work, steps: int) -> None:
    """Collect with the policy and learn nothing."""
    for itr in range(steps // work.rollout):
        algo.sampler.obtain_samples(itr, work.rollout)


BUILD = {"ppo": ppo, "trpo": ppo, "rollout": ppo, "dqn": dqn, "sac": sac, "td3": td3, "tqc": sac}
TF_BUILD = {"ppo": tf_ppo, "trpo": tf_ppo, "dqn": tf_dqn}


def main() -> None:
    given = arguments("garage_like")
    work = WORKS[given.work]
    set_seed(given.seed)
    env = GymEnv(work.env)
    name = f"garage_like {garage_like.__version__}"
    if os.environ.get("GARAGE_LIKE_FAST_PATH") == "0":
        name += ", autograd"
    build = BUILD[kind_of(given.work)]
    if os.environ.get("BENCH_BACKEND") == "tf":
        name, build = f"{name}, TensorFlow", TF_BUILD[kind_of(given.work)]
    epoch = work.rollout or OFF_POLICY_EPOCH
    warm_epochs = -(-given.warm // epoch)
    algo, epochs, batch_size = build(replace(work), env, given.steps + warm_epochs * epoch)
    given.steps = (epochs - warm_epochs) * epoch

    def train(clock: Clock) -> Any:
        if kind_of(given.work) == "rollout":
            roll_out(algo, work, given.steps)
            return None

        def start_when_warm(ended: Any) -> None:
            if ended.epoch == warm_epochs - 1:
                clock.start()

        with tempfile.TemporaryDirectory() as directory:
            logs = RunLogs(Path(directory), existing=False, console=False)
            trainer = Trainer(SnapshotConfig(snapshot_dir=directory, snapshot_mode="last"))
            trainer.setup(algo, env, callbacks=[start_when_warm] if warm_epochs else ())
            trainer.train(epochs, batch_size)
            logs.close()
        return greedy

    def greedy(observation: Any) -> Any:
        from garage_like.evaluation import DeterministicAgent

        return DeterministicAgent(algo.policy).get_action(observation)[0]

    measure(name, given, train)


if __name__ == "__main__":
    sys.exit(main())
