"""Small off-policy experiments of every kind.

Warm-up is over in the middle of epoch 1, and the replay memory wraps in epoch 2.
"""

import functools
from typing import Any

import experiments
import gymnasium
import numpy as np
from gymnasium import spaces

from garage_like.algos.schedules import CosineSchedule, LinearSchedule
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv, PointEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
)
from garage_like.replay_buffer import HERReplayBuffer, PathBuffer, PrioritizedReplayBuffer
from garage_like.sampler import FragmentWorker, LocalSampler

BATCH_SIZE = 30
ENV_STEPS = 4 * 2 * BATCH_SIZE
OPTIONS = {
    "steps_per_epoch": 2,
    "min_buffer_size": 80,
    "buffer_batch_size": 16,
    "gradient_steps_per_env_step": 0.15,
    "num_evaluation_episodes": 2,
}
HIDDEN = (8, 8)
DISCRETE = ("dqn", "ddqn", "discrete_sac")


class ReachGoal(gymnasium.Env):
    """Move along a line to a goal; goes on when it is there."""

    def __init__(self, discrete: bool) -> None:
        number = spaces.Box(-9.0, 9.0, (1,), np.float32)
        self.observation_space = spaces.Dict(
            {"observation": number, "achieved_goal": number, "desired_goal": number}
        )
        self.action_space = spaces.Discrete(2) if discrete else spaces.Box(-1, 1, (1,), np.float32)
        self._discrete = discrete

    def _observation(self) -> dict[str, np.ndarray]:
        here = np.array([self._position], np.float32)
        return {"observation": here, "achieved_goal": here, "desired_goal": self._goal}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self._position = 0.0
        self._goal = self.np_random.uniform(-2, 2, 1).astype(np.float32)
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        step = 2.0 * action - 1.0 if self._discrete else float(action[0])
        self._position = float(np.clip(self._position + step, -9, 9))
        observation = self._observation()
        reward = goal_reward(observation["achieved_goal"][None], self._goal[None], {})
        return observation, float(reward[0]), False, False, {}


def goal_reward(achieved: np.ndarray, desired: np.ndarray, infos: Any) -> np.ndarray:
    """Earn 0 at the goal and -1 elsewhere."""
    return (np.abs(achieved - desired)[:, 0] < 0.5) - 1.0


class WhichTask(gymnasium.ObservationWrapper):
    """Say in a one-hot vector behind the observation which of two tasks it is."""

    def __init__(self, env: gymnasium.Env, task: int) -> None:
        super().__init__(env)
        low, high = env.observation_space.low, env.observation_space.high
        self.observation_space = spaces.Box(
            np.append(low, [0, 0]).astype(np.float32), np.append(high, [1, 1]).astype(np.float32)
        )
        self._one_hot = np.eye(2, dtype=np.float32)[task]

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return np.append(observation, self._one_hot)


def build(algorithm: str, memory: str) -> tuple[RLAlgorithm, GymEnv | PointEnv]:
    """Make an algorithm and its environment from nothing.

    Args:
        algorithm: such as 'dqn'.
        memory: 'uniform', 'prioritized', 'her' or 'half_cheetah', which is uniform in MuJoCo.
    """
    set_seed(5)
    if algorithm in ("q_learning", "sarsa"):
        return _tabular(algorithm)
    if algorithm in ("bc_record", "bc_expert"):
        return _cloning(algorithm)
    if memory == "her":
        inner = ReachGoal(discrete=algorithm in DISCRETE)
        env = GymEnv(inner, max_episode_length=17, flatten_obs=True)
        goal_spec = EnvSpec(inner.observation_space, inner.action_space)
        buffer: PathBuffer = HERReplayBuffer(4, goal_reward, 100, goal_spec)
    else:
        env_id = "CartPole-v1" if algorithm in DISCRETE else "Pendulum-v1"
        env_id = "HalfCheetah-v5" if memory == "half_cheetah" else env_id
        env = _task(0) if algorithm == "mtsac" else GymEnv(env_id, max_episode_length=40)
        cls = PrioritizedReplayBuffer if memory == "prioritized" else PathBuffer
        buffer = cls(100, env.spec)
    return _deep(algorithm, env, buffer), env


def _task(number: int) -> GymEnv:
    inner = gymnasium.make("Pendulum-v1", g=9.0 + number)
    return GymEnv(WhichTask(inner, number), max_episode_length=40)


def _tabular(algorithm: str) -> tuple[RLAlgorithm, GymEnv]:
    from garage_like.np.algos.q_learning import QLearning
    from garage_like.np.algos.sarsa import SARSA
    from garage_like.np.policies.tabular_argmax_policy import TabularArgmaxPolicy
    from garage_like.np.q_functions import TabularQFunction

    env = GymEnv("FrozenLake-v1", max_episode_length=20)
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    explorer = EpsilonGreedyPolicy(env.spec, policy, total_timesteps=ENV_STEPS, decay_ratio=1.0)
    sampler = LocalSampler(explorer, env, worker_class=FragmentWorker, worker_args={"n_envs": 2})
    cls = {"q_learning": QLearning, "sarsa": SARSA}[algorithm]
    algo = cls(
        env.spec,
        policy,
        qf,
        sampler,
        exploration_policy=explorer,
        learning_rate=LinearSchedule(0.5, 0.1, ENV_STEPS),
        steps_per_epoch=2,
        num_evaluation_episodes=2,
    )
    return algo, env


class StraightToTheGoal:
    """An expert for PointEnv, as shaky as its caller's generator."""

    def act(self, observations: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, dict]:
        noise = rng.normal(scale=0.02, size=(len(observations), 2))
        return np.clip(1.0 - observations[:, :2] + noise, -0.1, 0.1), {}

    def actor(self) -> Any:
        return self

    def get_action(self, observation: np.ndarray) -> Any:
        raise NotImplementedError

    def reset(self, do_resets: Any = None) -> None:
        pass


def _cloning(algorithm: str) -> tuple[RLAlgorithm, PointEnv]:
    from garage_like.torch.algos import BC
    from garage_like.torch.policies import GaussianMLPPolicy

    env = PointEnv(max_episode_length=20)
    sampler = LocalSampler(StraightToTheGoal(), env)
    source = sampler.obtain_samples(0, 100) if algorithm == "bc_record" else StraightToTheGoal()
    learner = GaussianMLPPolicy(env.spec, hidden_sizes=HIDDEN)
    return BC(env.spec, learner, batch_size=16, source=source, sampler=sampler), env


def _deep(algorithm: str, env: GymEnv, buffer: PathBuffer) -> RLAlgorithm:
    from garage_like.torch.algos import DDPG, DDQN, DQN, MTSAC, SAC, TD3, TQC, DiscreteSAC
    from garage_like.torch.policies import (
        CategoricalMLPPolicy,
        DeterministicCfCPolicy,
        DeterministicMLPPolicy,
        DiscreteQFArgmaxPolicy,
        TanhGaussianMLPPolicy,
    )
    from garage_like.torch.q_functions import (
        ContinuousMLPQFunction,
        DiscreteMLPQFunction,
        QuantileMLPQFunction,
    )

    spec = env.spec
    rate = LinearSchedule(1e-3, 1e-4, ENV_STEPS)
    if algorithm in ("dqn", "ddqn"):
        qf = DiscreteMLPQFunction(spec, HIDDEN, dueling=True)
        greedy = DiscreteQFArgmaxPolicy(qf, spec)
        explorer = EpsilonGreedyPolicy(spec, greedy, total_timesteps=ENV_STEPS, decay_ratio=0.9)
        return (DQN if algorithm == "dqn" else DDQN)(
            spec,
            greedy,
            qf,
            buffer,
            LocalSampler(explorer, env, worker_class=FragmentWorker, worker_args={"n_envs": 2}),
            exploration_policy=explorer,
            qf_lr=rate,
            target_update_freq=3,
            **OPTIONS,
        )
    if algorithm == "discrete_sac":
        critics = [DiscreteMLPQFunction(spec, HIDDEN) for _ in range(2)]
        weighing = CategoricalMLPPolicy(spec, hidden_sizes=HIDDEN)
        return DiscreteSAC(spec, weighing, *critics, buffer, policy_lr=rate, **OPTIONS)
    if algorithm in ("ddpg", "liquid_ddpg", "td3"):
        policy: Any = DeterministicMLPPolicy(spec, HIDDEN)
        if algorithm == "liquid_ddpg":
            policy = DeterministicCfCPolicy(spec, 8, history_length=3)
        qfs = [ContinuousMLPQFunction(spec, HIDDEN) for _ in range(2)]
        if algorithm != "td3":
            drifting = AddOrnsteinUhlenbeckNoise(spec, policy)
            return DDPG(
                spec, policy, qfs[0], buffer, exploration_policy=drifting, qf_lr=rate, **OPTIONS
            )
        noisy = AddGaussianNoise(spec, policy, ENV_STEPS, 0.5, 0.1)
        return TD3(spec, policy, *qfs, buffer, exploration_policy=noisy, policy_lr=rate, **OPTIONS)
    stochastic = TanhGaussianMLPPolicy(spec, HIDDEN)
    soft: dict[str, Any] = {**OPTIONS, "policy_lr": CosineSchedule(1e-3, 1e-4, ENV_STEPS)}
    if algorithm == "tqc":
        quantiles = [QuantileMLPQFunction(spec, 5, HIDDEN) for _ in range(3)]
        return TQC(spec, stochastic, quantiles, buffer, **soft)
    qfs = [ContinuousMLPQFunction(spec, HIDDEN) for _ in range(2)]
    if algorithm == "mtsac":
        envs = [env, _task(1)]
        sampler = LocalSampler(
            stochastic,
            envs,
            n_workers=2,
            worker_class=FragmentWorker,
            worker_args={"n_envs": 1},
        )
        return MTSAC(
            spec, stochastic, *qfs, buffer, sampler, num_tasks=2, eval_env=[env, _task(1)], **soft
        )
    fixed = 0.2 if algorithm == "sac_fixed" else None
    return SAC(spec, stochastic, *qfs, buffer, fixed_alpha=fixed, **soft)


train = functools.partial(experiments.train, batch_size=BATCH_SIZE, build=build)
