"""PPO of Stable-Baselines3 with what people put around it: `sb3_options.py`.

Frames are stacked, exploration is state-dependent; monitors, TensorBoard, evaluation with its best
model and checkpoints write files. PLAIN is `model.learn` alone. It dies in env step DIES_IN.
"""

import os

import numpy as np
import torch
from sb3_model import Dying, bits
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecFrameStack

from garage_like.adapters import sb3

if __name__ == "__main__":
    torch.set_num_threads(1)
    env, other = (
        VecFrameStack(make_vec_env("Pendulum-v1", 2, 1, monitor_dir=folder), 3)
        for folder in ("monitor", None)
    )
    small = {"n_steps": 16, "batch_size": 16, "n_epochs": 2, "policy_kwargs": {"net_arch": [8]}}
    model = PPO(
        "MlpPolicy", env, use_sde=True, sde_sample_freq=4, seed=1, tensorboard_log="tb", **small
    )
    evaluation = EvalCallback(
        other, eval_freq=24, n_eval_episodes=1, verbose=0, best_model_save_path="best"
    )
    callbacks = [Dying(), evaluation, CheckpointCallback(30, "checkpoints")]
    if os.environ.get("PLAIN"):
        model.learn(480, callback=callbacks)
    else:
        sb3.learn(model, 480, "run", callback=callbacks, options={"max_stall": 1.0})
    slots = [v for s in model.policy.optimizer.state_dict()["state"].values() for v in s.values()]
    best = PPO.load("best/best_model").policy.state_dict().values()
    weights = model.policy.state_dict().values()
    print("digest", *(bits(t.detach().numpy() for t in ts) for ts in (weights, slots, best)))
    returns = [episode["r"] for episode in model.ep_info_buffer]
    print("digest", evaluation.best_mean_reward, evaluation.n_calls, returns)
    print("digest", sorted(os.listdir("checkpoints")), os.listdir("tb"))
    print("digest", torch.rand(1).item(), np.random.rand())
