"""Do one work through Stable-Baselines3, sb3-contrib or sbx, as their documentation shows it.

BENCH_BACKEND=sbx takes the classes of sbx, which are compiled by JAX and named alike.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib import metadata
from typing import Any

import gymnasium
import torch
from stable_baselines3.common.env_util import make_vec_env
from works import DISCOUNT, WORKS, Clock, Work, arguments, kind_of, measure

SBX = os.environ.get("BENCH_BACKEND") == "sbx"
NAMES = {"stable_baselines3": "Stable-Baselines3", "sb3_contrib": "sb3-contrib", "sbx": "sbx"}


def module_of(work: str) -> str:
    """Name the library that has a work's algorithm."""
    if SBX:
        return "sbx"
    return "sb3_contrib" if work in ("trpo", "tqc") else "stable_baselines3"


def class_of(work: str, name: str) -> Any:
    return getattr(importlib.import_module(module_of(work)), name)


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
        **({} if SBX else {"device": "cpu"}),
    }


def ppo(work: Work, seed: int, steps: int) -> Any:
    options = on_policy_options(work, seed)
    return class_of("ppo", "PPO")(n_epochs=work.passes, **options)


def trpo(work: Work, seed: int, steps: int) -> Any:
    region = work.trust_region
    return class_of("trpo", "TRPO")(
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
        **({} if SBX else {"device": "cpu"}),
    }


def dqn(work: Work, seed: int, steps: int) -> Any:
    last, part = work.epsilon
    return class_of("dqn", "DQN")(
        target_update_interval=work.target_every,
        exploration_final_eps=last,
        exploration_fraction=part,
        **off_policy_options(work, seed),
    )


def sac(work: Work, seed: int, steps: int) -> Any:
    return class_of("sac", "SAC")(**off_policy_options(work, seed))


def td3(work: Work, seed: int, steps: int) -> Any:
    options = off_policy_options(work, seed)
    return class_of("td3", "TD3")(policy_delay=work.policy_delay, **options)


def tqc(work: Work, seed: int, steps: int) -> Any:
    options = off_policy_options(work, seed)
    n_quantiles, dropped = work.quantiles
    options["policy_kwargs"].update(n_quantiles=n_quantiles, n_critics=2)
    return class_of("tqc", "TQC")(top_quantiles_to_drop_per_net=dropped, **options)


def roll_out(model: Any, work: Work, steps: int) -> None:
    """Collect with the policy and learn nothing."""
    _, callback = model._setup_learn(steps)
    for _ in range(steps // work.rollout):
        model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)


BUILD = {"ppo": ppo, "trpo": trpo, "rollout": ppo, "dqn": dqn, "sac": sac, "td3": td3, "tqc": tqc}


def main() -> None:
    torch.set_num_threads(1)
    module = module_of(sys.argv[1])
    name = f"{NAMES[module]} {metadata.version('sbx-rl' if SBX else module)}"
    given = arguments(name)
    work = WORKS[given.work]
    model = BUILD[kind_of(given.work)](work, given.seed, given.warm + given.steps)

    def train(clock: Clock) -> Any:
        if kind_of(given.work) == "rollout":
            roll_out(model, work, given.steps)
            return None
        if given.warm:
            model.learn(given.warm)
            clock.start()
        model.learn(given.steps, reset_num_timesteps=not given.warm)
        return lambda observation: model.predict(observation, deterministic=True)[0]

    measure(name, given, train)


if __name__ == "__main__":
    sys.exit(main())
