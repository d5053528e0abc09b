"""Measure what RLlib's env runners collect where environments wait, for `elsewhere.py --rllib`.

    python benchmarks/with_rllib.py 8

in an environment of its own with `ray[rllib]` and torch: as many runners as environments of 5 ms a
step, each with one, and the same network of two layers of 64. Prints env steps a second of each
round, after one that does not count.
"""

import json
import os
import sys
import time

# Each runner is a process that imports RLlib, and RLlib whatever framework there is: without these
# eight of them took more than four minutes to begin on two cores.
os.environ |= {"RLLIB_TEST_NO_TF_IMPORT": "1", "RLLIB_TEST_NO_JAX_IMPORT": "1"}

import gymnasium
import numpy as np
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

STEPS, ROUNDS = 100, 5


class Waits(gymnasium.Env):
    """Wait 5 ms a step."""

    observation_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, config=None):
        pass

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(4, np.float32), {}

    def step(self, action):
        time.sleep(0.005)
        return self.np_random.random(4, np.float32), float(np.sum(action)), False, False, {}


def main(n_envs):
    ray.init(num_cpus=n_envs + 1, include_dashboard=False, log_to_driver=False)
    config = (
        PPOConfig()
        .environment(Waits)
        .env_runners(num_env_runners=n_envs, rollout_fragment_length=STEPS)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[64, 64]))
    )
    runners = config.build_algo().env_runner_group
    rates = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        runners.foreach_env_runner(
            lambda runner: runner.sample(num_timesteps=STEPS), local_env_runner=False
        )
        rates.append(n_envs * STEPS / (time.perf_counter() - began))
    print(json.dumps(rates[1:]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
