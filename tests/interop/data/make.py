"""Make the checkpoints beside this file with the real libraries: `python make.py`.

Needs the extra `peers`: stable-baselines3 and skrl. Each checkpoint has an `.actions.npz` beside
it: observations, and the actions (and values) that the library's own policy gives for them.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import nn

HERE = Path(__file__).parent
OBSERVATIONS = spaces.Box(-np.inf, np.inf, (3,), np.float32)
ACTIONS = spaces.Box(-2.0, 2.0, (2,), np.float32)


class Wanderer(gymnasium.Env):
    """An environment that only has spaces and random observations."""

    def __init__(self, actions: gymnasium.Space = ACTIONS) -> None:
        self.observation_space, self.action_space = OBSERVATIONS, actions

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self._observe(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._observe(), 1.0, False, bool(self.np_random.random() < 0.1), {}

    def _observe(self) -> np.ndarray:
        return self.np_random.normal(3.0, 2.0, 3).astype(np.float32)


def observations() -> np.ndarray:
    return np.random.default_rng(0).normal(1.0, 2.0, (7, 3)).astype(np.float32)


def shake(module: nn.Module) -> None:
    """Give every weight a value of its own, biases too, as training would."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)


def make_small(path: Path) -> None:
    """Leave out optimizers and pickled objects, which no test reads."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if name == "data":
                plain = {key: v for key, v in json.loads(content).items() if type(v) is not dict}
                archive.writestr(name, json.dumps(plain))
            elif "optimizer" not in name:
                archive.writestr(name, content)


def stable_baselines3(directory: Path) -> None:
    from stable_baselines3 import DDPG, DQN, PPO, SAC, TD3
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    rows = observations()
    options: Any = {"buffer_size": 10, "device": "cpu", "seed": 1}
    for name, cls in {"sac": SAC, "td3": TD3, "ddpg": DDPG}.items():
        small = {"net_arch": [16, 16]}  # the constructors write into it
        model = cls("MlpPolicy", Wanderer(), policy_kwargs=small, **options)
        shake(model.policy)
        actions, _ = model.predict(rows, deterministic=True)
        scaled = torch.from_numpy(actions / 2.0)
        values = [q.detach().numpy()[:, 0] for q in model.critic(torch.from_numpy(rows), scaled)]
        values = {f"q{place + 1}": value for place, value in enumerate(values)}
        model.save(directory / f"sb3_{name}.zip")
        make_small(directory / f"sb3_{name}.zip")
        np.savez(
            directory / f"sb3_{name}.actions.npz", observations=rows, actions=actions, **values
        )
    env = Wanderer(spaces.Discrete(4))
    model = DQN("MlpPolicy", env, policy_kwargs={"net_arch": [16, 16]}, **options)
    shake(model.policy)
    actions, _ = model.predict(rows, deterministic=True)
    q1 = model.q_net(torch.from_numpy(rows)).detach().numpy()
    model.save(directory / "sb3_dqn.zip")
    make_small(directory / "sb3_dqn.zip")
    np.savez(directory / "sb3_dqn.actions.npz", observations=rows, actions=actions, q1=q1)

    env = VecNormalize(DummyVecEnv([Wanderer]), clip_obs=5.0)
    model = PPO(
        "MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=1, device="cpu", seed=1,
        policy_kwargs={"net_arch": [16, 16], "log_std_init": -0.5},
    )  # fmt: skip
    model.learn(64)
    shake(model.policy)
    seen = torch.from_numpy(env.normalize_obs(rows)).float()
    with torch.no_grad():
        distribution = model.policy.get_distribution(seen).distribution
        values = model.policy.predict_values(seen)[:, 0].numpy()
    model.save(directory / "sb3_ppo.zip")
    make_small(directory / "sb3_ppo.zip")
    actions, std = distribution.mean.numpy(), distribution.stddev[0].numpy()
    env.save(str(directory / "sb3_ppo_vecnormalize.pkl"))
    np.savez(
        directory / "sb3_ppo.actions.npz", observations=rows, values=values,
        normalized=seen.numpy(), actions=actions, std=std,
    )  # fmt: skip


def skrl(directory: Path) -> None:
    from skrl.agents.torch.ppo import PPO, PPO_CFG
    from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
    from skrl.resources.preprocessors.torch import RunningStandardScaler

    class Actor(GaussianMixin, Model):
        def __init__(self) -> None:
            Model.__init__(self, observation_space=OBSERVATIONS, action_space=ACTIONS, device="cpu")
            GaussianMixin.__init__(self)
            self.net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
            self.mean_layer = nn.Linear(16, 2)
            self.log_std_parameter = nn.Parameter(torch.zeros(2))

        def compute(self, inputs: dict, role: str = "") -> tuple:
            mean = self.mean_layer(self.net(inputs["observations"]))
            return mean, {"log_std": self.log_std_parameter}

    class Critic(DeterministicMixin, Model):
        def __init__(self) -> None:
            Model.__init__(self, observation_space=OBSERVATIONS, action_space=ACTIONS, device="cpu")
            DeterministicMixin.__init__(self)
            self.net = nn.Sequential(
                nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
            )

        def compute(self, inputs: dict, role: str = "") -> tuple:
            return self.net(inputs["observations"]), {}

    torch.manual_seed(1)
    models = {"policy": Actor(), "value": Critic()}
    for model in models.values():
        shake(model)
    cfg = PPO_CFG()
    cfg.experiment.write_interval = cfg.experiment.checkpoint_interval = 0
    cfg.observation_preprocessor = RunningStandardScaler
    cfg.observation_preprocessor_kwargs = {"size": OBSERVATIONS, "device": "cpu"}
    cfg.value_preprocessor = RunningStandardScaler
    cfg.value_preprocessor_kwargs = {"size": 1, "device": "cpu"}
    agent = PPO(
        models=models, memory=None, cfg=cfg, observation_space=OBSERVATIONS,
        state_space=None, action_space=ACTIONS, device="cpu",
    )  # fmt: skip
    scaler = agent.checkpoint_modules["observation_preprocessor"]
    rows = observations()
    for _ in range(3):
        scaler(torch.from_numpy(rows + 1), train=True)
    with torch.no_grad():
        seen = scaler(torch.from_numpy(rows), train=False)
        actions, info = models["policy"].compute({"observations": seen})
        values, _ = models["value"].compute({"observations": seen})
        std, values = info["log_std"].exp().numpy(), values[:, 0].numpy()
    agent.save(str(directory / "skrl_ppo.pt"))
    np.savez(
        directory / "skrl_ppo.actions.npz", observations=rows, normalized=seen.numpy(),
        actions=actions.numpy(), std=std, values=values,
    )  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    stable_baselines3(directory)
    skrl(directory)
