"""How good a policy is: roll it out, and record the returns of a batch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.normalizers import Normalizers, use_normalizers
from garage_like.envs.copy import copy_env
from garage_like.interfaces import Actor, Environment, Policy
from garage_like.sampler.episode_builder import EpisodeBuilder
from garage_like.sampler.framework_actor import ActorAround, actor_of, give_memory
from garage_like.sampler.vec_worker import VecWorker

SECONDS_PER_FRAME = 0.05
MAX_ENVS_AT_ONCE = 8


def rollout(
    env: Environment,
    agent: Policy,
    *,
    max_episode_length: int | None = None,
    animated: bool = False,
    speedup: float = 1,
    pause_per_frame: float | None = None,
    deterministic: bool = False,
    rng: np.random.Generator | None = None,
) -> dict[str, Any]:
    """Play one episode in the environment itself, not in a copy.

    Args:
        env: is reset first.
        agent: a policy.
        max_episode_length: env steps after which the episode is cut off (TIMEOUT); None leaves that
            to the environment.
        animated: show the episode in a window.
        speedup: how many times faster than real to show it.
        pause_per_frame: seconds after each step that is shown; None goes by `speedup`.
        deterministic: take the mode of the policy's distribution instead of a sample.
        rng: what actions are drawn from; None takes the same stream in each call.

    Returns:
        What `EpisodeBatch.from_list` takes: observations, next_observations, actions, rewards,
        step_types, and (dicts of arrays) agent_infos, env_infos and episode_infos; and dones, which
        of the steps terminated.
    """
    if not speedup > 0:
        raise ValueError(f"rollout: speedup must be positive, got {speedup!r}")
    rng = seeding.stream("rollout") if rng is None else rng
    limit = math.inf if max_episode_length is None else max_episode_length
    actor: Actor = ModeActor(actor_of(agent)) if deterministic else actor_of(agent)
    builder = EpisodeBuilder(env.spec, 1, set())
    observation, episode_info = env.reset()
    agent.reset(np.ones(1, bool))
    give_memory(actor, 1)
    episode = builder.begin(0, observation, episode_info)
    if animated:
        env.visualize()
    while not (episode.steps and episode.steps[-1].last):
        actions, agent_infos = actor.act(observation[None], rng)
        builder.actions.append(actions)
        builder.agent_infos.append(agent_infos)
        step = env.step(actions[0])
        observation = step.observation
        if not step.last and len(episode.steps) + 1 >= limit:
            step = step._replace(step_type=StepType.TIMEOUT)
        episode.steps.append(step)
        if animated:
            time.sleep(SECONDS_PER_FRAME / speedup if pause_per_frame is None else pause_per_frame)
    played = builder.build()
    return {**played.to_list()[0], "dones": played.terminals}


def obtain_evaluation_episodes(
    policy: Policy,
    env: Environment,
    max_episode_length: int | None = 1000,
    num_eps: int = 100,
    deterministic: bool = True,
    rng: np.random.Generator | None = None,
    *,
    normalizers: Normalizers | None = None,
) -> EpisodeBatch:
    """Play whole episodes in copies of an environment, leaving training as it was.

    Random numbers come from a stream of evaluation's own: every call plays in the same `num_eps`
    situations, so returns differ by the policy alone. (A policy that has no NumPy actor draws from
    its framework's generator, which training shares.)

    Args:
        policy: what to evaluate.
        env: what to evaluate it in; copied, with the running statistics of its wrappers, which
            stand still if they come from any values.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT); None leaves that
            to the environment.
        num_eps: episodes.
        deterministic: take the mode of the policy's distribution instead of a sample.
        rng: where to take other random numbers from.
        normalizers: statistics to normalise with instead, as `pooled_normalizers` returns them.
    """
    if num_eps < 1:
        raise ValueError(f"obtain_evaluation_episodes: num_eps must be at least 1, got {num_eps!r}")
    rng = seeding.stream("evaluation") if rng is None else rng
    worker = VecWorker(
        seed=int(rng.integers(2**63)),
        max_episode_length=max_episode_length,
        n_envs=min(num_eps, MAX_ENVS_AT_ONCE),
    )
    worker.update_agent(DeterministicAgent(policy) if deterministic else policy)
    copied = copy_env(env)
    use_normalizers(copied, normalizers or {})
    worker.update_env(copied)
    try:
        return worker.obtain_episodes(num_eps)
    finally:
        worker.shutdown()


def log_performance(
    itr: int, batch: EpisodeBatch, discount: float, prefix: str = "Evaluation"
) -> list[float]:
    """Record the returns of a batch under `prefix`.

    A batch of fragments (FragmentWorker) counts those episodes that ended in it, with their whole
    return; where none did, averages are NaN. The discounted return is averaged over those of them
    that lie within the batch from their first step on.

    Args:
        itr: the trainer's counter.
        batch: whole episodes or fragments.
        discount: factor for one env step.
        prefix: of the keys.

    Returns:
        The undiscounted return of each episode.
    """
    from garage_like.logging import tabular

    starts = batch.ends - batch.lengths
    ages = np.arange(batch.num_steps) - np.repeat(starts, batch.lengths)
    discounted = np.add.reduceat(batch.rewards * discount**ages, starts)
    infos = batch.episode_infos_by_episode
    if "EpisodeReturn" in infos:
        counted = batch.last_step_types >= StepType.TERMINAL
        returns = infos["EpisodeReturn"]
        whole = counted & (infos["EpisodeLength"] == batch.lengths)
    else:
        whole = counted = np.ones(len(batch), bool)
        returns = np.add.reduceat(batch.rewards, starts)
    returns = np.asarray(returns[counted], np.float64)
    terminated = batch.last_step_types[counted] == StepType.TERMINAL

    metrics = {
        "Iteration": itr,
        "NumEpisodes": len(returns),
        "AverageDiscountedReturn": _over(np.mean, discounted[whole]),
        "AverageReturn": _over(np.mean, returns),
        "StdReturn": _over(np.std, returns),
        "MaxReturn": _over(np.max, returns),
        "MinReturn": _over(np.min, returns),
        "TerminationRate": _over(np.mean, terminated),
    }
    if "success" in batch.env_infos:
        succeeded = np.logical_or.reduceat(batch.env_infos["success"] > 0, starts)
        metrics["SuccessRate"] = _over(np.mean, succeeded[counted])
    for key, value in metrics.items():
        tabular.record(f"{prefix}/{key}", value)
    return returns.tolist()


_OF_RETURNS = (
    *("AverageDiscountedReturn", "AverageReturn", "StdReturn", "MaxReturn", "MinReturn"),
    *("TerminationRate", "SuccessRate"),
)


def log_multitask_performance(
    itr: int, batch: EpisodeBatch, discount: float, name_map: Mapping[int, str] | None = None
) -> list[float]:
    """Record the returns of a batch for each task under its name, and for all under `Average`.

    Args:
        itr: the trainer's counter.
        batch: whole episodes; `env_infos` or episode infos tell `task_name`, or `task_id`.
        discount: factor for one env step.
        name_map: names of tasks by `task_id`, whose columns are there though none was played (as
            NaN).

    Returns:
        The undiscounted return of each episode.
    """
    from garage_like.logging import tabular

    names = _task_names(batch, name_map or {})
    episodes = batch.split()
    for name in dict.fromkeys([*(name_map or {}).values(), *sorted(set(names))]):
        own = [episode for episode, told in zip(episodes, names, strict=False) if told == name]
        if own:
            log_performance(itr, EpisodeBatch.concatenate(*own), discount, name)
            continue
        tabular.record(f"{name}/Iteration", itr)
        tabular.record(f"{name}/NumEpisodes", 0)
        for key in _OF_RETURNS:
            tabular.record(f"{name}/{key}", math.nan)
    return log_performance(itr, batch, discount, prefix="Average")


def _task_names(batch: EpisodeBatch, name_map: Mapping[int, str]) -> list[str]:
    """Return the name of each episode's task; none if nothing tells of tasks."""
    infos = batch.env_infos
    told: dict[str, Any] = {
        k: infos[k][batch.ends - 1] for k in ("task_name", "task_id") if k in infos
    }
    told |= batch.episode_infos_by_episode
    if "task_name" in told:
        return [str(name) for name in told["task_name"]]
    numbers = [int(number) for number in told.get("task_id", ())]
    return [name_map.get(number, f"Task #{number}") for number in numbers]


def _over(statistic: Any, values: np.ndarray) -> float:
    return float(statistic(values)) if len(values) else math.nan


class ModeActor(ActorAround):
    """Act by the mode of another actor's distribution, read from its agent infos.

    The mode is `mean` where there is one, else the largest of `logits` or `prob`; an actor that
    reports none of them is taken to be deterministic.
    """

    def instead(
        self, actions: np.ndarray, infos: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        if "mean" in infos:
            return infos["mean"].reshape(actions.shape)
        for key in ("logits", "prob"):
            if key in infos:
                modes: np.ndarray = infos[key].argmax(axis=1)
                return modes
        return actions


class DeterministicAgent:
    """A policy that acts by its mode."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._memory: np.ndarray | None = None

    def actor(self) -> Actor:
        """Return an actor on the policy's current weights."""
        return ModeActor(actor_of(self._policy))

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return the mode for one observation of shape (O*,)."""
        actor = self.actor()
        self._memory = give_memory(actor, 1, self._memory)
        actions, infos = actor.act(np.asarray(observation)[None], np.random.default_rng(0))
        return actions[0], {key: value[0] for key, value in infos.items()}

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget the episode."""
        self._memory = None
        self._policy.reset(do_resets)
