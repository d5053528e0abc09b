"""An experiment as a user writes it: `experiment.py ALGORITHM SEEDS DEVICES`.

KILL=n has it die in epoch n.
"""

import os
import signal
import sys
import time

from garage_like import Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import DQN, PPO, SAC
from garage_like.jax.envs import CartPole, JaxEnv, Pendulum
from garage_like.jax.policies import (
    CategoricalMLPPolicy,
    DiscreteQFArgmaxPolicy,
    TanhGaussianMLPPolicy,
)

SMALL = {
    "num_steps": 2,
    "capacity_in_transitions": 240,
    "min_buffer_size": 40,
    "buffer_batch_size": 16,
    "num_evaluation_episodes": 2,
}
MADE = {
    "ppo": (PPO, CategoricalMLPPolicy, CartPole, {"num_steps": 16}),
    "dqn": (DQN, DiscreteQFArgmaxPolicy, CartPole, {**SMALL, "target_update_freq": 2}),
    "sac": (SAC, TanhGaussianMLPPolicy, Pendulum, SMALL),
}
ALGORITHM, PLAN = sys.argv[1], MADE[sys.argv[1]]


class Mortal(PLAN[0]):
    def train_epoch(self, trainer):
        epoch = trainer.total_env_steps // 128 // self._num_seeds
        if os.environ.get("KILL") == str(epoch):
            while not (trainer.run_dir / "snapshots/epoch_000000").exists():
                time.sleep(0.01)  # a run that is killed before its first snapshot starts over
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train_epoch(trainer)


@wrap_experiment(auto_resume=True, snapshot_mode="all", archive_launch_repo=False)
def in_jax(ctxt=None, num_seeds=1, num_devices=1):
    set_seed(1)
    env = JaxEnv(PLAN[2]())
    policy = PLAN[1](env.spec, hidden_sizes=(8,))
    many = {"num_seeds": num_seeds, "num_devices": num_devices}
    algo = Mortal(env, policy, num_envs=8, **many, **PLAN[3])
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(4, batch_size=128)


in_jax(num_seeds=int(sys.argv[2]), num_devices=int(sys.argv[3]))
