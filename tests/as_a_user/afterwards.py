"""An experiment that goes on, once training has ended, with all that it has set up.

An argument names the epoch in which it dies.
"""

import collections
import os
import sys
import threading

import gymnasium as gym
import numpy as np
import torch

from garage_like import Trainer, wrap_experiment
from garage_like.callbacks import Callback
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.torch.algos import VPG
from garage_like.torch.policies import GaussianMLPPolicy
from garage_like.torch.value_functions import GaussianMLPValueFunction


class League:
    def __init__(self):
        self.pool = collections.deque(maxlen=3)
        self.wins = {}


class Grow(Callback):
    def __init__(self, league, seen):
        self.league, self.seen = league, seen

    def on_epoch_end(self, ended):
        self.league.pool.append(float(np.random.rand()))
        self.league.wins[ended.epoch] = len(self.league.pool)
        self.seen.append(ended.epoch)


class Study:
    """The whole of it as one object: what is trained, who trains it, and what came of it."""

    def __init__(self):
        self.history, self.best = [], {"rand": -1.0}
        self.total = np.zeros(2)
        self.lock = threading.Lock()
        self.inner = gym.wrappers.RecordEpisodeStatistics(gym.make("Pendulum-v1"), 4)
        self.hooked = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 1))

    def on_epoch_end(self, ended):
        self.history.append(float(np.random.rand()))
        self.best["rand"] = max(self.best["rand"], self.history[-1])
        self.total += self.history[-1]

    def run(self, ctxt):
        env = GymEnv(self.inner, max_episode_length=40)
        policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,))
        league, seen = League(), []
        parts = {"league": league}
        calls, gradients, count = [0], {"sum": 0.0}, 0
        forwards = 0

        def watch(module, given, found):
            nonlocal forwards
            forwards += 1
            calls[0] += 1

        def watch_too(module, given, found):
            nonlocal forwards
            forwards += 1000

        def counting(ended):
            nonlocal count
            count += 1
            ended.log("Forwards", forwards)

        def dying(ended):
            if str(ended.epoch) in sys.argv[1:]:
                os._exit(9)

        linear = next(m for m in policy.modules() if isinstance(m, torch.nn.Linear))
        linear.register_forward_hook(watch)
        linear.register_forward_hook(watch_too)
        linear.weight.register_hook(
            lambda given: gradients.update(sum=gradients["sum"] + float(given.sum()))
        )
        algo = VPG(env.spec, policy, GaussianMLPValueFunction(env.spec, hidden_sizes=(4,)))
        self.trainer = Trainer(ctxt)
        # `dying` is called first: what it breaks off is an epoch of which nothing is saved yet.
        callbacks = [dying, Grow(league, seen), self.on_epoch_end, counting]
        self.trainer.setup(algo, env, callbacks=callbacks)
        self.trainer.train(6, batch_size=80)
        print("found", forwards, calls, repr(gradients["sum"]), count, seen)
        print("found", league.pool, parts["league"].wins, [*self.inner.return_queue])
        print("found", parts["league"] is league, linear is next(iter(hooked_in(policy))))


def hooked_in(policy):
    return (m for m in policy.modules() if isinstance(m, torch.nn.Linear) and m._forward_hooks)


@wrap_experiment(auto_resume=True, archive_launch_repo=False)
def train(ctxt=None, *, seed=1):
    set_seed(seed)
    study = Study()
    study.run(ctxt)
    print("found", study.history, study.best, study.total)


if __name__ == "__main__":
    train()
