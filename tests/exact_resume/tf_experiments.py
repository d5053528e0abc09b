"""Small experiments of every kind in TensorFlow; as a script, it runs them in a fresh process.

Usage: `tf_experiments.py JOBS.json RESULTS.json [--deterministic]`. A job is a run directory, what
it goes on from (an epoch, or a case to train from nothing) and the number of epochs.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any

import experiments
import gymnasium
import numpy as np
from gymnasium import spaces

from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.trainer import TFTrainer, Trainer

CONVOLUTIONS: dict[str, Any] = {
    "hidden_channels": (4, 4),
    "kernel_sizes": (4, 2),
    "strides": (2, 1),
    "hidden_sizes": (8,),
}
HIDDEN = (16, 16)


class Blinking(gymnasium.Env):
    """Show a picture with one bright corner; the number of the corner is the action that pays."""

    observation_space = spaces.Box(0, 255, (12, 12), np.uint8)
    action_space = spaces.Discrete(2)

    def _observation(self) -> np.ndarray:
        picture = np.zeros((12, 12), np.uint8)
        self._corner = int(self.np_random.integers(2))
        picture[-4 * self._corner :, :4] = 200
        return picture

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        reward = float(action == self._corner)
        return self._observation(), reward, False, False, {}


def build(algorithm: str, policy_kind: str, trainer: Trainer) -> tuple[RLAlgorithm, GymEnv]:
    """Make an algorithm and its environment from nothing.

    Args:
        algorithm: such as 'ppo'; 'graph_mode' or 'both_backends'.
        policy_kind: 'categorical', 'gaussian' or 'cnn'.
        trainer: for what needs its session.
    """
    set_seed(11)
    inner = {"categorical": "CartPole-v1", "gaussian": "Pendulum-v1", "cnn": Blinking()}
    env = GymEnv(inner[policy_kind], max_episode_length=40)
    if algorithm == "graph_mode":
        return GraphModeBeside(on_policy("trpo", env), trainer), env
    if algorithm == "both_backends":
        return TakingTurns(on_policy("ppo", env), in_torch(env)), env
    return on_policy(algorithm, env), env


def on_policy(algorithm: str, env: GymEnv) -> RLAlgorithm:
    from garage_like.tf.algos import NPO, PPO, TNPG, TRPO, VPG
    from garage_like.tf.baselines import (
        ContinuousMLPBaseline,
        GaussianCNNBaseline,
        GaussianMLPBaseline,
    )
    from garage_like.tf.optimizers import LBFGSOptimizer

    spec, options = env.spec, {}
    if algorithm == "tnpg":
        baseline: Any = LinearFeatureBaseline(spec)
    elif algorithm == "vpg":
        baseline = ContinuousMLPBaseline(spec, HIDDEN)
        options["vf_optimizer"] = LBFGSOptimizer(baseline, max_optimization_epochs=5)
    elif algorithm == "npo":
        fitted = {"use_trust_region": True, "adaptive_std": True, "normalize_inputs": True}
        if len(spec.observation_space.shape) == 2:
            baseline = GaussianCNNBaseline(spec, **CONVOLUTIONS, **fitted)
        else:
            baseline = GaussianMLPBaseline(spec, HIDDEN, **fitted, normalize_outputs=True)
    else:
        baseline = GaussianMLPBaseline(spec, HIDDEN)
    policy = make_policy(spec)
    sampler = LocalSampler(policy, env, worker_class=FragmentWorker, worker_args={"n_envs": 3})
    algo = {"vpg": VPG, "npo": NPO, "ppo": PPO, "trpo": TRPO, "tnpg": TNPG}[algorithm]
    return algo(spec, policy, baseline, sampler, **options)


def make_policy(spec: Any) -> Any:
    from garage_like.tf.policies import CategoricalCNNPolicy, CategoricalMLPPolicy
    from garage_like.tf.policies import GaussianMLPPolicy as Gaussian

    if len(spec.observation_space.shape) == 2:
        return CategoricalCNNPolicy(spec, **CONVOLUTIONS)
    return (CategoricalMLPPolicy if spec.is_discrete else Gaussian)(spec, HIDDEN)


def in_torch(env: GymEnv) -> RLAlgorithm:
    from garage_like.torch.algos import PPO
    from garage_like.torch.policies import CategoricalMLPPolicy
    from garage_like.torch.value_functions import GaussianMLPValueFunction

    policy = CategoricalMLPPolicy(env.spec, HIDDEN)
    value_function = GaussianMLPValueFunction(env.spec, HIDDEN)
    return PPO(env.spec, policy, value_function, LocalSampler(policy, env))


class TakingTurns(RLAlgorithm):
    """Train one algorithm in even epochs and another in odd ones."""

    def __init__(self, *algos: RLAlgorithm) -> None:
        self.policy = algos[0].policy
        self._algos = algos

    def train_epoch(self, trainer: Trainer) -> float:
        algo = self._algos[trainer.step_itr % len(self._algos)]
        self.policy, self._sampler = algo.policy, algo.sampler
        return algo.train_epoch(trainer)


class GraphModeBeside(RLAlgorithm):
    """Train an algorithm, and beside it a value function on placeholders, as of TensorFlow 1."""

    def __init__(self, algo: RLAlgorithm, trainer: TFTrainer) -> None:
        import tensorflow as tf

        self.policy, self._sampler, self._algo = algo.policy, algo.sampler, algo
        v1 = tf.compat.v1
        with trainer.graph_mode():
            self._observations = v1.placeholder(tf.float32, (None, 4))
            self._targets = v1.placeholder(tf.float32, (None,))
            weight = v1.get_variable("weight", initializer=np.full((4, 1), 0.5, np.float32))
            values = tf.squeeze(tf.matmul(self._observations, weight), 1)
            self._loss = tf.reduce_mean(tf.square(values - self._targets))
            self._train = v1.train.AdamOptimizer(0.05).minimize(self._loss)

    def train_epoch(self, trainer: Trainer) -> float:
        import tensorflow as tf

        average = self._algo.train_epoch(trainer)
        episodes = trainer.step_episode
        feed = {self._observations: episodes.observations, self._targets: episodes.rewards}
        session = tf.compat.v1.get_default_session()
        tabular.record("GraphMode/Loss", session.run([self._loss, self._train], feed)[0])
        return average


def train(run_dir: Path, case: tuple[str, str], n_epochs: int, batch_size: int = 130) -> dict:
    """Train from nothing, keeping every snapshot; return what the run came to."""
    with experiments.recorded(run_dir, TFTrainer) as trainer:
        trainer.setup(*build(*case, trainer))
        trainer.train(n_epochs, batch_size)
        return experiments.outcome(trainer, run_dir)


resume = functools.partial(experiments.resume, kind=TFTrainer)


def do(run_dir: str, start: int | list[str], n_epochs: int) -> dict:
    """Carry out a job."""
    if isinstance(start, list):
        return train(Path(run_dir), (start[0], start[1]), n_epochs)
    return resume(Path(run_dir), start, n_epochs)


if __name__ == "__main__":
    if "--deterministic" in sys.argv:
        from garage_like.tf.quiet_import import tf

        tf.config.experimental.enable_op_determinism()
    jobs = json.loads(Path(sys.argv[1]).read_text())
    results = [do(*job) for job in jobs]
    Path(sys.argv[2]).write_text(json.dumps(results))
