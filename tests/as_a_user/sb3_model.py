"""A model of Stable-Baselines3: `sb3_model.py KIND dummy|subproc plain|normalized`.

PLAIN is `model.learn` alone. It dies in env step DIES_IN, and prints a digest of all that it
learned, drew and logged.
"""

import csv
import hashlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

from garage_like.adapters import sb3

ON_POLICY = ("PPO", "A2C", "RecurrentPPO", "MaskablePPO")
CLOCKS = ("time/fps", "time/time_elapsed")
FILES = ("progress.json", "log.txt")
CONTINUOUS = ("SAC", "TD3", "DDPG", "TQC")


class Dying(BaseCallback):
    def _on_step(self):
        if os.environ.get("DIES_IN") == str(self.model.num_timesteps):
            while not list(Path("run/snapshots").glob("epoch_*/manifest.json")):
                pass  # what was captured is written meanwhile
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def bits(arrays):
    content = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
    return hashlib.md5(content).hexdigest()


def environment(kind, vector, normalizes, monitor_dir=None):
    name = "Pendulum-v1" if kind in CONTINUOUS else "CartPole-v1"
    if kind == "MaskablePPO":
        from sb3_contrib.common.envs import InvalidActionEnvDiscrete

        name = lambda: InvalidActionEnvDiscrete(dim=8, n_invalid_actions=4)  # noqa: E731
    cls = SubprocVecEnv if vector == "subproc" else DummyVecEnv
    options = {"start_method": "fork"} if vector == "subproc" else {}
    env = make_vec_env(name, 2, 1, vec_env_cls=cls, vec_env_kwargs=options, monitor_dir=monitor_dir)
    norm_obs = kind != "MaskablePPO"  # its observations are numbers of states
    return VecNormalize(env, norm_obs=norm_obs) if normalizes else env


def make(kind, env):
    cls = getattr(stable_baselines3, kind, None) or getattr(sb3_contrib, kind)
    small = {"seed": 1, "device": "cpu", "policy_kwargs": {"net_arch": [8]}}
    if kind in ON_POLICY:
        small.update(n_steps=16, learning_rate=lambda left: 1e-3 * left)
        if kind != "A2C":
            small.update(batch_size=16, n_epochs=2)
        if kind == "RecurrentPPO":
            small["policy_kwargs"]["lstm_hidden_size"] = 8
    else:
        small.update(learning_starts=30, buffer_size=150)
    return cls("MlpLstmPolicy" if kind == "RecurrentPPO" else "MlpPolicy", env, **small)


def main(kind, vector, normalized):
    torch.set_num_threads(1)
    np.random.seed(1)  # MaskablePPO's environment draws from it, in workers forked from here
    env = environment(kind, vector, normalized == "normalized", "monitor")
    model = make(kind, env)
    model.set_logger(configure("logs", ["csv", "json", "log"]))
    other = environment(kind, "dummy", normalized == "normalized")
    evaluation = EvalCallback(other, eval_freq=40, n_eval_episodes=1, verbose=0)
    callbacks = [Dying()] if kind == "MaskablePPO" else [Dying(), evaluation]
    if os.environ.get("PLAIN"):
        model.learn(200, callback=callbacks)
    else:
        options = {"max_stall": 1.0}
        every = None if kind in ON_POLICY else 3  # rollouts: DQN is killed in its tenth
        sb3.learn(model, 200, "run", every=every, callback=callbacks, options=options)
    weights = [t.detach().numpy() for t in model.policy.state_dict().values()]
    parts = [model.policy, *(getattr(model.policy, n, None) for n in ("actor", "critic"))]
    slots = [
        value
        for part in parts
        if hasattr(part, "optimizer")
        for slot in part.optimizer.state_dict()["state"].values()
        for value in slot.values()
    ]
    buffer = getattr(model, "replay_buffer", None)
    stored = [] if buffer is None else [buffer.observations, buffer.actions, buffer.rewards]
    running = [env.ret_rms.mean, env.ret_rms.var] if normalized == "normalized" else []
    print("digest", bits(weights), bits(slots), bits(stored), bits(running))
    episodes = [(e["r"], e["l"]) for e in model.ep_info_buffer]
    drawn = torch.rand(1).item(), np.random.rand()
    print("digest", episodes, model.num_timesteps, model._n_updates, drawn)
    print("digest", evaluation.best_mean_reward, evaluation.n_calls)
    files = sorted(Path("monitor").glob("*.csv"))
    rows = [line.split(",")[:2] for f in files for line in f.read_text().splitlines()[1:]]
    print("digest", rows)
    with open("logs/progress.csv") as file:
        logged = [sorted(row.items()) for row in csv.DictReader(file)]
    print("digest", [item for row in logged for item in row if not item[0].startswith(CLOCKS)])
    print("digest", [Path("logs", name).read_text().count("\n") for name in FILES])
    env.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
