"""A run with a mirror, as the page on mirrors shows it: `mirrored.py URL [kill|wait]`.

With `wait` its fourth epoch lasts until there is a file `go`. LAPSE says how long a writer that
says nothing is taken for alive.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from garage_like import Trainer, wrap_experiment
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.snapshot.mirror import lease
from garage_like.torch.algos import SAC
from garage_like.torch.policies import TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction

URL = sys.argv[1]
DIES = sys.argv[2:] == ["kill"]
WAITS = sys.argv[2:] == ["wait"]
if "LAPSE" in os.environ:
    lease.LAPSE = float(os.environ["LAPSE"])
    lease.BEAT = lease.LAPSE / 10


class Slow(SAC):
    """Leave time for a snapshot to arrive."""

    def train_epoch(self, trainer: Any) -> Any:
        time.sleep(0.3 if DIES else 0.0)
        while WAITS and trainer.step_itr == 3 and not Path("go").exists():
            time.sleep(0.05)
        return super().train_epoch(trainer)


@wrap_experiment(auto_resume=True, mirror=URL, console=False, archive_launch_repo=False)
def mirrored(ctxt, *, seed=1):
    set_seed(seed)
    env = GymEnv("Pendulum-v1", max_episode_length=20)
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(4,))
    qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(4,)) for _ in range(2)]
    buffer = PathBuffer(capacity_in_transitions=500, env_spec=env.spec)
    algo = Slow(
        env.spec,
        policy,
        *qfs,
        buffer,
        min_buffer_size=20,
        buffer_batch_size=8,
        gradient_steps_per_itr=3,
        num_evaluation_episodes=1,
    )
    trainer = Trainer(ctxt)
    trainer.setup(algo, env)
    trainer.train(n_epochs=6, batch_size=40)


def die_once_two_have_arrived() -> None:
    folder = Path(os.environ["OBJECTS"])
    while len(list(folder.glob("index/*/epoch_*"))) < 2:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(os.getpid(), 9)


if __name__ == "__main__":
    if DIES:
        threading.Thread(target=die_once_two_have_arrived, daemon=True).start()
    mirrored()
