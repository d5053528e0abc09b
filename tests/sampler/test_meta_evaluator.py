import numpy as np
import pytest

from garage_like.envs import PointEnv, TaskNameWrapper
from garage_like.experiment import EnvPoolSampler, MetaEvaluator, SetTaskSampler
from garage_like.logging import tabular
from garage_like.np.policies import ScriptedPolicy


class KnowsTheGoalAfterwards:
    """Explores by standing still, and walks to the goal that its episodes tell."""

    discount = 0.9

    def __init__(self):
        self.adapted_to = []

    def get_exploration_policy(self):
        return ScriptedPolicy(lambda observation: np.zeros(2, np.float32))

    def adapt_policy(self, exploration_policy, exploration_episodes):
        goals = np.unique(exploration_episodes.episode_infos_by_episode["goal"], axis=0)
        self.adapted_to.append((len(exploration_episodes), goals.tolist()))
        goal = goals[0]
        return ScriptedPolicy(lambda observation: np.clip(goal - observation[:2], -0.1, 0.1))


def recorded_by(evaluator, algo, **options):
    evaluator.evaluate(algo, **options)
    row = dict(tabular.as_primitive_dict)
    tabular.mark_all()
    tabular.clear()
    return row


def point():
    return PointEnv(max_episode_length=5, never_done=True)


def test_each_task_is_explored_adapted_to_and_played():
    algo = KnowsTheGoalAfterwards()
    evaluator = MetaEvaluator(
        test_task_sampler=SetTaskSampler(point),
        n_test_tasks=3,
        n_exploration_eps=2,
        n_test_episodes=4,
    )
    row = recorded_by(evaluator, algo)
    assert [n for n, _ in algo.adapted_to] == [2, 2, 2]
    assert len({tuple(goals[0]) for _, goals in algo.adapted_to}) == 3
    assert row["MetaTest/Average/NumEpisodes"] == 12
    assert row["MetaTest/Average/AverageReturn"] > row["MetaTest/Exploration/AverageReturn"]
    row = recorded_by(evaluator, algo, test_episodes_per_task=1)
    assert (row["MetaTest/Average/NumEpisodes"], row["MetaTest/Average/Iteration"]) == (3, 1)
    with pytest.raises(ValueError, match="test_episodes_per_task must be at least 1, got 0"):
        evaluator.evaluate(algo, test_episodes_per_task=0)


def test_all_tasks_of_a_pool_are_played_and_named():
    names = ["left", "right"]
    envs = [
        TaskNameWrapper(PointEnv((x, 0), max_episode_length=3), task_name=name, task_id=k)
        for k, (name, x) in enumerate(zip(names, (-1, 1), strict=True))
    ]
    evaluator = MetaEvaluator(
        test_task_sampler=EnvPoolSampler(envs), test_task_names=[*names, "none"], prefix="Test"
    )
    row = recorded_by(evaluator, KnowsTheGoalAfterwards())
    assert {row[f"Test/{name}/NumEpisodes"] for name in names} == {1}
    assert row["Test/none/NumEpisodes"] == 0
    assert row["Test/Average/NumEpisodes"] == 2


def test_tasks_without_number_and_counts_out_of_range_are_refused():
    with pytest.raises(ValueError, match="does not know how many tasks there are"):
        MetaEvaluator(test_task_sampler=SetTaskSampler(point))
    with pytest.raises(ValueError, match="n_test_episodes must be at least 1, got 0"):
        MetaEvaluator(test_task_sampler=SetTaskSampler(point), n_test_tasks=1, n_test_episodes=0)
    with pytest.raises(TypeError, match=r"must have a method sample\(n_tasks\), got 7"):
        MetaEvaluator(test_task_sampler=7)
