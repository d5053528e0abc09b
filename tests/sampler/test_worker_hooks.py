"""Workers of one's own, written as for garage: their methods are called, or they are refused."""

import numpy as np
import pytest

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.envs import GymEnv, PointEnv
from garage_like.np.policies import GaussianMLPPolicy
from garage_like.sampler import (
    DefaultWorker,
    FragmentWorker,
    LocalSampler,
    RL2Worker,
    VecWorker,
    Worker,
)


class Plain(DefaultWorker):
    """Overrides a step, and changes nothing by it."""

    def step_episode(self):
        return super().step_episode()


class Counting(DefaultWorker):
    def worker_init(self):
        self.calls = []

    def start_episode(self):
        super().start_episode()
        self.calls.append("start")

    def step_episode(self):
        self.calls.append("step")
        return super().step_episode()

    def collect_episode(self):
        self.calls.append("collect")
        return super().collect_episode()


class ByHand(DefaultWorker):
    """Takes its step itself, into the lists that garage's worker has."""

    def step_episode(self):
        action, infos = self.agent.get_action(self._prev_obs)
        step = self.env.step(action)
        self._observations.append(self._prev_obs)
        self._env_steps.append(step)
        for key, value in infos.items():
            self._agent_infos[key].append(value)
        self._eps_length += 1
        self._prev_obs = step.observation
        if step.last:
            self._lengths.append(self._eps_length)
            self._last_observations.append(step.observation)
        return step.last


class Rollouts(Worker):
    """Has a `rollout` and nothing else."""

    def rollout(self):
        steps, (observation, _) = [], self.env.reset()
        observations = [observation]
        while not (steps and steps[-1].last):
            steps.append(self.env.step(0))
            observations.append(steps[-1].observation)
        return EpisodeBatch(
            env_spec=self.env.spec,
            episode_infos_by_episode={},
            observations=np.array(observations[:-1]),
            last_observations=np.array(observations[-1:]),
            actions=np.zeros(len(steps), int),
            rewards=np.array([step.reward for step in steps]),
            env_infos={},
            agent_infos={},
            step_types=np.array([step.step_type for step in steps], np.uint8),
            lengths=np.array([len(steps)]),
        )


@pytest.mark.parametrize("limit", [None, 7])
def test_steps_one_by_one_are_those_that_are_taken_at_once(limit, same_batch):
    def collect(worker_class):
        env = PointEnv(max_episode_length=20)
        sampler = LocalSampler(
            GaussianMLPPolicy(env.spec), env, worker_class=worker_class, max_episode_length=limit
        )
        return sampler.obtain_samples(0, 50), sampler.obtain_exact_episodes(2)

    for ours, theirs in zip(collect(DefaultWorker), collect(Plain), strict=True):
        same_batch(ours, theirs)


def test_each_step_of_an_episode_is_a_call(parts):
    sampler = LocalSampler(parts.ConstantPolicy(), parts.ScriptedEnv([2, 3]), worker_class=Counting)
    assert sampler.obtain_samples(0, 4).lengths.tolist() == [2, 3]
    first = ["start", "step", "step", "collect"]
    assert sampler._workers[0].calls == [*first, "start", *["step"] * 3, "collect"]


def test_a_step_of_ones_own_fills_the_lists_that_garage_has():
    env = GymEnv("CartPole-v1", max_episode_length=5)
    policy = type("Left", (), {"get_action": lambda self, o: (0, {"seen": o}), "reset": _nothing})()
    batch = LocalSampler(policy, env, worker_class=ByHand).obtain_samples(0, 7)
    assert batch.lengths.tolist() == [5, 5]
    assert batch.agent_infos["seen"].tobytes() == batch.observations.tobytes()
    assert batch.last_step_types.tolist() == [StepType.TIMEOUT] * 2


def test_a_rollout_is_all_that_a_worker_needs(parts):
    sampler = LocalSampler(parts.ConstantPolicy(), parts.ScriptedEnv([2, 3]), worker_class=Rollouts)
    assert sampler.obtain_samples(0, 4).lengths.tolist() == [2, 3]
    assert sampler.obtain_exact_episodes(1).lengths.tolist() == [2]


@pytest.mark.parametrize("base", [VecWorker, FragmentWorker, RL2Worker])
@pytest.mark.parametrize("name", ["start_episode", "step_episode", "collect_episode"])
def test_workers_that_play_otherwise_refuse_what_they_would_not_call(base, name):
    with pytest.raises(TypeError, match=rf"Mine defines {name}, which .* define \w+\(.* instead"):
        type("Mine", (base,), {name: _nothing})


def test_a_policy_with_get_action_alone_is_asked_for_each_observation():
    env = GymEnv("CartPole-v1", max_episode_length=5)
    policy = type("Right", (), {"get_action": lambda self, o: (1, {"o": o}), "reset": _nothing})()
    for worker_class in (DefaultWorker, VecWorker):
        batch = LocalSampler(policy, env, worker_class=worker_class).obtain_samples(0, 20)
        assert batch.actions.all()
        assert batch.agent_infos["o"].tobytes() == batch.observations.tobytes()


def _nothing(self, *args):
    return None
