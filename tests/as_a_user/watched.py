"""An experiment with callbacks, as the documentation shows them; KILL_AT names an epoch."""

import os
import time

import numpy as np

from garage_like import Trainer, wrap_experiment
from garage_like.callbacks import Callback, EvalCallback, StopTrainingOnNoModelImprovement
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos import CEM
from garage_like.np.policies import CategoricalMLPPolicy
from garage_like.sampler import LocalSampler


class Shaker(Callback):
    """Change what is trained, with training's own random numbers."""

    def __init__(self):
        self.shaken = 0.0

    def on_epoch_end(self, ended):
        self.shaken += np.random.rand()
        ended.log("Shaken", self.shaken)
        weights = ended.algo.policy.get_param_values()
        ended.algo.policy.set_param_values(weights + 0.01 * self.shaken)


class Killer(Callback):
    """Die in the middle of an epoch, once there is a snapshot to go on from."""

    def on_epoch_end(self, ended):
        if os.environ.get("KILL_AT") == str(ended.epoch):
            while not list(ended.trainer.run_dir.glob("snapshots/epoch_*/manifest.json")):
                time.sleep(0.01)
            os._exit(9)


@wrap_experiment(auto_resume=True, console=False)
def watched(ctxt=None, *, seed=1):
    set_seed(seed)
    env = GymEnv("CartPole-v1", max_episode_length=30)
    policy = CategoricalMLPPolicy(env.spec, hidden_sizes=(4,))
    algo = CEM(env.spec, policy, LocalSampler(policy, env), n_samples=3, best_frac=0.5)
    trainer = Trainer(ctxt)
    elsewhere = EvalCallback(GymEnv("CartPole-v1", max_episode_length=20), n_eval_episodes=2)
    stop = StopTrainingOnNoModelImprovement(2, key="Eval/AverageReturn")
    trainer.setup(algo, env, callbacks=[Shaker(), elsewhere, stop, Killer()])
    trainer.train(n_epochs=30, batch_size=60)


watched()
