"""Q-learning and SARSA on a table, against steps worked out by hand."""

import numpy as np
import pytest
from gymnasium import spaces

from garage_like.algos.schedules import LinearSchedule
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GymEnv
from garage_like.experiment.deterministic import set_seed
from garage_like.np.algos.q_learning import QLearning
from garage_like.np.algos.sarsa import SARSA
from garage_like.np.exploration_policies import EpsilonGreedyPolicy
from garage_like.np.policies.tabular_argmax_policy import TabularArgmaxPolicy
from garage_like.np.q_functions import TabularQFunction
from garage_like.sampler import FragmentWorker, LocalSampler
from garage_like.trainer import Trainer

SPEC = EnvSpec(spaces.Discrete(3), spaces.Discrete(2))


def steps(observations, actions, rewards, last, step_type) -> EpisodeBatch:
    count = len(observations)
    types = [StepType.FIRST, *[StepType.MID] * (count - 1)]
    types[-1] = step_type
    return EpisodeBatch(
        env_spec=SPEC,
        episode_infos_by_episode={},
        observations=np.array(observations),
        last_observations=np.array([last]),
        actions=np.array(actions),
        rewards=np.array(rewards, float),
        env_infos={},
        agent_infos={},
        step_types=np.array(types, np.uint8),
        lengths=np.array([count]),
    )


def learner(cls, **options):
    set_seed(1)
    qf = TabularQFunction(SPEC)
    qf.table[...] = [[0.0, 1.0], [2.0, 4.0], [8.0, 16.0]]
    policy = TabularArgmaxPolicy(qf, SPEC)
    explorer = EpsilonGreedyPolicy(
        SPEC, policy, total_timesteps=100, max_epsilon=0.0, min_epsilon=0.0
    )
    options = {"learning_rate": 0.5, "discount": 0.5, **options}
    return cls(SPEC, policy, qf, None, exploration_policy=explorer, **options), qf.table


def test_q_learning_moves_towards_the_best_next_action():
    algo, table = learner(QLearning)
    algo._learn(steps([0, 1], [0, 0], [1.0, 1.0], 2, StepType.TERMINAL))
    # 0 + 0.5 (1 + 0.5 * 4 - 0), then 2 + 0.5 (1 - 2): nothing follows termination.
    assert table.tolist() == [[1.5, 1.0], [1.5, 4.0], [8.0, 16.0]]


def test_sarsa_moves_towards_the_action_that_was_taken_next():
    algo, table = learner(SARSA)
    algo._learn(steps([0, 1], [0, 0], [1.0, 1.0], 2, StepType.TERMINAL))
    # 0 + 0.5 (1 + 0.5 * 2 - 0)
    assert table.tolist() == [[1.0, 1.0], [1.5, 4.0], [8.0, 16.0]]


@pytest.mark.parametrize("cls", [QLearning, SARSA])
@pytest.mark.parametrize("step_type", [StepType.TIMEOUT, StepType.MID])
def test_what_follows_a_cut_episode_counts(cls, step_type):
    algo, table = learner(cls)
    algo._learn(steps([1], [0], [1.0], 2, step_type))
    # The greedy next action is 1: 2 + 0.5 (1 + 0.5 * 16 - 2)
    assert table[1, 0] == 5.5


def test_later_steps_of_a_batch_see_what_earlier_ones_learned():
    algo, table = learner(QLearning)
    algo._learn(steps([1, 0], [1, 0], [0.0, 0.0], 1, StepType.TIMEOUT))
    first = 4.0 + 0.5 * (0.5 * 1.0 - 4.0)
    assert table[1, 1] == first
    assert table[0, 0] == 0.5 * 0.5 * max(2.0, first)


def test_learning_rate_follows_its_schedule():
    algo, table = learner(QLearning, learning_rate=LinearSchedule(1.0, 0.5, 10))
    algo._env_steps = 10
    algo._learn(steps([0], [0], [1.0], 2, StepType.TERMINAL))
    assert table[0, 0] == 0.5


def test_ties_are_broken_at_random():
    policy = TabularArgmaxPolicy(TabularQFunction(SPEC), SPEC)
    actions, _ = policy.act(np.zeros(1000, int), np.random.default_rng(0))
    assert np.bincount(actions).min() > 400


def test_best_action_wins_whatever_its_sign():
    qf = TabularQFunction(SPEC)
    qf.table[...] = [[-3.0, -1.0], [5.0, 4.0], [0.0, 1e-300]]
    actions, _ = TabularArgmaxPolicy(qf, SPEC).act(np.array([0, 1, 2]), np.random.default_rng(0))
    assert actions.tolist() == [1, 0, 1]


def test_table_is_the_policys_weights():
    qf = TabularQFunction(SPEC, initial_value=2.0)
    policy = TabularArgmaxPolicy(qf, SPEC)
    weights = policy.get_param_values()
    assert weights.tolist() == [2.0] * 6
    policy.set_param_values(np.arange(6.0))
    assert qf.table.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    with pytest.raises(ValueError, match="expected a vector of 6 numbers"):
        policy.set_param_values(np.zeros(5))


@pytest.mark.parametrize(
    "spec",
    [
        EnvSpec(spaces.Box(-1, 1), spaces.Discrete(2)),
        EnvSpec(spaces.Discrete(2), spaces.Discrete(2, start=1)),
    ],
)
def test_table_needs_discrete_spaces(spec):
    with pytest.raises(ValueError, match="TabularQFunction needs a Discrete"):
        TabularQFunction(spec)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discount": 2.0}, r"discount must be in \[0, 1\], got 2.0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        learner(QLearning, **options)


def trained_return(cls, env: GymEnv, **options) -> float:
    set_seed(1)
    qf = TabularQFunction(env.spec)
    policy = TabularArgmaxPolicy(qf, env.spec)
    explorer = EpsilonGreedyPolicy(
        env.spec, policy, total_timesteps=8000, min_epsilon=0.01, decay_ratio=0.7
    )
    sampler = LocalSampler(explorer, env, worker_class=FragmentWorker, worker_args={"n_envs": 1})
    algo = cls(
        env.spec,
        policy,
        qf,
        sampler,
        exploration_policy=explorer,
        learning_rate=0.5,
        steps_per_epoch=40,
        **options,
    )
    trainer = Trainer()
    trainer.setup(algo, env)
    return trainer.train(10, 20)


def test_q_learning_finds_its_way_over_the_ice():
    env = GymEnv("FrozenLake-v1", max_episode_length=100, is_slippery=False)
    assert trained_return(QLearning, env, discount=0.95) == 1.0


def test_sarsa_keeps_away_from_the_cliff():
    env = GymEnv("CliffWalking-v1", max_episode_length=100)
    assert -20.0 <= trained_return(SARSA, env, discount=1.0) <= -13.0
