"""Do one work through Stable-Baselines3, or sb3-contrib, as their documentation shows it."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Any

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.env_util import make_vec_env
from works import DISCOUNT, WORKS, Work, arguments, measure


def on_policy_options(work: Work, seed: int) -> dict[str, Any]:
    return {
        "policy": "MlpPolicy",
        "env": make_vec_env(work.env, work.n_envs, seed=seed),
        "learning_rate": work.learning_rate,
        "n_steps": work.rollout // work.n_envs,
        "batch_size": work.batch_size,
        "gamma": DISCOUNT,
        "gae_lambda": work.gae_lambda,
        "policy_kwargs": {"net_arch": list(work.hidden)},
        "seed": seed,
        "device": "cpu",
    }


def ppo(work: Work, seed: int, steps: int) -> Any:
    return stable_baselines3.PPO(n_epochs=work.passes, **on_policy_options(work, seed))


def trpo(work: Work, seed: int, steps: int) -> Any:
    import sb3_contrib

    region = work.trust_region
    return sb3_contrib.TRPO(
        target_kl=region.max_kl,
        cg_max_steps=region.cg_iters,
        cg_damping=region.damping,
        line_search_max_iter=region.max_backtracks,
        line_search_shrinking_factor=region.backtrack_ratio,
        n_critic_updates=work.passes,
        **on_policy_options(work, seed),
    )


def off_policy_options(work: Work, seed: int) -> dict[str, Any]:
    return {
        "policy": "MlpPolicy",
        "env": gymnasium.make(work.env),
        "learning_rate": work.learning_rate,
        "buffer_size": work.memory,
        "learning_starts": work.warm_up,
        "batch_size": work.batch_size,
        "gamma": DISCOUNT,
        "train_freq": work.train_every,
        "policy_kwargs": {"net_arch": list(work.hidden)},
        "seed": seed,
        "device": "cpu",
    }


def dqn(work: Work, seed: int, steps: int) -> Any:
    last, part = work.epsilon
    return stable_baselines3.DQN(
        target_update_interval=work.target_every,
        exploration_final_eps=last,
        exploration_fraction=part,
        **off_policy_options(work, seed),
    )


def sac(work: Work, seed: int, steps: int) -> Any:
    return stable_baselines3.SAC(**off_policy_options(work, seed))


def tqc(work: Work, seed: int, steps: int) -> Any:
    import sb3_contrib

    options = off_policy_options(work, seed)
    n_quantiles, dropped = work.quantiles
    options["policy_kwargs"].update(n_quantiles=n_quantiles, n_critics=2)
    return sb3_contrib.TQC(top_quantiles_to_drop_per_net=dropped, **options)


def roll_out(model: Any, work: Work, steps: int) -> None:
    """Collect with the policy and learn nothing."""
    _, callback = model._setup_learn(steps)
    for _ in range(steps // work.rollout):
        model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)


BUILD = {
    "ppo": ppo,
    "ppo8": ppo,
    "ppo128": ppo,
    "ppo2048": ppo,
    "trpo": trpo,
    "rollout": ppo,
    "rollout8": ppo,
    "dqn": dqn,
    "sac": sac,
    "tqc": tqc,
    "sac_pendulum": sac,
}


def main() -> None:
    torch.set_num_threads(1)
    given = arguments("Stable-Baselines3")
    work = WORKS[given.work]
    name = f"Stable-Baselines3 {stable_baselines3.__version__}"
    if given.work in ("trpo", "tqc"):
        name = f"sb3-contrib {metadata.version('sb3_contrib')}"
    model = BUILD[given.work](work, given.seed, given.steps)

    if given.work.startswith("rollout"):
        measure(name, given, lambda: roll_out(model, work, given.steps))
        return

    def train() -> Any:
        model.learn(given.steps)
        return lambda observation: model.predict(observation, deterministic=True)[0]

    measure(name, given, train)


if __name__ == "__main__":
    sys.exit(main())
