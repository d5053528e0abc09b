"""Small experiments with replay memory, and with users' own networks, in TensorFlow.

Run as a script, it trains and resumes with deterministic operations:
`tf_off_policy_experiments.py CASES.json FOLDER RESULTS.json`.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import experiments
import numpy as np
import off_policy_experiments as in_torch
import tf_experiments

from garage_like.algos.schedules import LinearSchedule
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.logging import tabular
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
)
from garage_like.replay_buffer import HERReplayBuffer, PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import DefaultWorker, FragmentWorker, LocalSampler
from garage_like.tf.quiet_import import tf
from garage_like.trainer import TFTrainer

MIDDLE = 1


def build(algorithm: str, memory: str) -> tuple[RLAlgorithm, GymEnv]:
    """Make an algorithm and its environment from nothing.

    Args:
        algorithm: 'dqn', 'ddpg' or 'td3', or 'reinforce' for a network of the user's own.
        memory: 'uniform', 'prioritized' or 'her'; of the user's networks, 'keras' or 'module'.
    """
    set_seed(5)
    if algorithm == "reinforce":
        env = GymEnv("CartPole-v1", max_episode_length=40)
        policy = KerasPolicy(env.spec) if memory == "keras" else ModulePolicy(env.spec)
        return Reinforce(policy, LocalSampler(policy, env, worker_class=DefaultWorker)), env
    if memory == "her":
        inner = in_torch.ReachGoal(discrete=algorithm == "dqn")
        env = GymEnv(inner, max_episode_length=17, flatten_obs=True)
        goal_spec = EnvSpec(inner.observation_space, inner.action_space)
        buffer: PathBuffer = HERReplayBuffer(4, in_torch.goal_reward, 100, goal_spec)
    else:
        name = "CartPole-v1" if algorithm == "dqn" else "Pendulum-v1"
        env = GymEnv(name, max_episode_length=40)
        cls = PrioritizedReplayBuffer if memory == "prioritized" else PathBuffer
        buffer = cls(100, env.spec)
    return off_policy(algorithm, env, buffer), env


def off_policy(algorithm: str, env: GymEnv, buffer: PathBuffer) -> RLAlgorithm:
    from garage_like.tf.algos import DDPG, DQN, TD3
    from garage_like.tf.policies import ContinuousMLPPolicy, DiscreteQFArgmaxPolicy
    from garage_like.tf.q_functions import ContinuousMLPQFunction, DiscreteMLPQFunction

    spec, hidden = env.spec, in_torch.HIDDEN
    rate = LinearSchedule(1e-3, 1e-4, in_torch.ENV_STEPS)
    if algorithm == "dqn":
        qf = DiscreteMLPQFunction(spec, hidden, dueling=True)
        greedy = DiscreteQFArgmaxPolicy(qf, spec)
        explorer = EpsilonGreedyPolicy(
            spec, greedy, total_timesteps=in_torch.ENV_STEPS, decay_ratio=0.9
        )
        sampler = LocalSampler(
            explorer, env, worker_class=FragmentWorker, worker_args={"n_envs": 2}
        )
        options = {"qf_lr": rate, "target_update_freq": 3, **in_torch.OPTIONS}
        return DQN(spec, greedy, qf, buffer, sampler, exploration_policy=explorer, **options)
    policy = ContinuousMLPPolicy(spec, hidden)
    qfs = [ContinuousMLPQFunction(spec, hidden) for _ in range(2)]
    if algorithm == "ddpg":
        noise: Any = AddOrnsteinUhlenbeckNoise(spec, policy)
        options = {"qf_lr": rate, "qf_optimizer": tf.keras.optimizers.RMSprop, **in_torch.OPTIONS}
        return DDPG(spec, policy, qfs[0], buffer, exploration_policy=noise, **options)
    noise = AddGaussianNoise(spec, policy, in_torch.ENV_STEPS, 0.5, 0.1)
    options = {"policy_lr": rate, **in_torch.OPTIONS}
    return TD3(spec, policy, *qfs, buffer, exploration_policy=noise, **options)


class Choosing:
    """What a sampler asks of a policy that chooses by itself."""

    def get_action(self, observation: np.ndarray) -> tuple[Any, dict]:
        actions, infos = self.get_actions(observation[None])
        return actions[0], infos

    def get_actions(self, observations: np.ndarray) -> tuple[np.ndarray, dict]:
        raise NotImplementedError

    def reset(self, do_resets: Any = None) -> None:
        pass

    def actor(self) -> None:
        return None


class KerasPolicy(Choosing):
    """A policy of a user's own: a Keras model with dropout and statistics of its batches."""

    def __init__(self, env_spec: EnvSpec) -> None:
        layers = tf.keras.layers
        self.env_spec = env_spec
        self.model = tf.keras.Sequential(
            [
                layers.Input((4,)),
                layers.BatchNormalization(),
                layers.Dense(16, "tanh"),
                layers.Dropout(0.2),
                layers.Dense(2),
            ]
        )
        self._rng = np.random.default_rng(3)

    def logits(self, observations: Any, training: bool = False) -> tf.Tensor:
        return self.model(observations, training=training)

    def variables_to_train(self) -> list:
        return self.model.trainable_variables

    def get_actions(self, observations: np.ndarray) -> tuple[np.ndarray, dict]:
        first, second = self.logits(observations).numpy().T
        uniform = self._rng.random(len(observations))
        return (uniform < 1.0 / (1.0 + np.exp(first - second))).astype(np.int64), {}


class ModulePolicy(Choosing, tf.Module):
    """A policy of a user's own: a tf.Module with a generator and a traced method."""

    def __init__(self, env_spec: EnvSpec) -> None:
        super().__init__(name="module_policy")
        self.env_spec = env_spec
        weight = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
        self.layers = [{"weight": tf.Variable(weight, name="weight")}]
        self.generator = tf.random.Generator.from_seed(4)

    @tf.function
    def act(self, observations: tf.Tensor) -> tf.Tensor:
        first, second = tf.unstack(self.logits(observations), axis=1)
        uniform = self.generator.uniform(tf.shape(first))
        return tf.cast(uniform < tf.sigmoid(second - first), tf.int64)

    def logits(self, observations: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.matmul(observations, self.layers[0]["weight"])

    def variables_to_train(self) -> list:
        return list(self.trainable_variables)

    def get_actions(self, observations: np.ndarray) -> tuple[np.ndarray, dict]:
        return self.act(tf.constant(observations)).numpy(), {}


class Reinforce(RLAlgorithm):
    """An algorithm of a user's own: REINFORCE with an optimizer of Keras, in a tf.function."""

    def __init__(self, policy: Any, sampler: LocalSampler) -> None:
        self.policy = policy
        self._sampler = sampler
        self._optimizer = tf.keras.optimizers.Adam(0.01)
        self._optimizer.build(policy.variables_to_train())

    def train_epoch(self, trainer: Any) -> float:
        episodes = trainer.obtain_episodes(trainer.step_itr)
        trainer.step_itr += 1
        lengths = np.repeat(episodes.lengths, episodes.lengths).astype(np.float32)
        actions = episodes.actions.astype(np.int32)
        loss = self._step(episodes.observations, actions, lengths - lengths.mean())
        tabular.record("Loss", float(loss))
        return float(episodes.lengths.mean())

    @tf.function(reduce_retracing=True)
    def _step(self, observations: Any, actions: Any, weights: Any) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self.policy.logits(observations, training=True)
            cross = tf.nn.sparse_softmax_cross_entropy_with_logits(actions, logits)
            loss = tf.reduce_mean(weights * cross)
        variables = self.policy.variables_to_train()
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss


def train(run_dir: Path, case: tuple[str, str], n_epochs: int) -> dict:
    """Train from nothing, keeping every snapshot; return what the run came to."""
    tf.keras.utils.clear_session()
    return experiments.train(run_dir, case, n_epochs, in_torch.BATCH_SIZE, build, TFTrainer)


def train_and_resume(folder: Path, case: tuple[str, str], n_epochs: int) -> tuple[dict, dict]:
    """Return what a run came to, and what it came to when it was resumed in the middle."""
    straight = train(folder, case, n_epochs)
    copy = folder.with_name(f"{folder.name}_resumed")
    shutil.copytree(folder, copy)
    return straight, tf_experiments.resume(copy, MIDDLE, n_epochs)


if __name__ == "__main__":
    tf.config.experimental.enable_op_determinism()
    sys.modules["tf_off_policy_experiments"] = sys.modules["__main__"]
    cases, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    results = [train_and_resume(folder / "-".join(case), tuple(case), 3) for case in cases]
    Path(sys.argv[3]).write_text(json.dumps(results))
