"""ExplorationPolicy: a policy around another one, which is the one that is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.algos.schedules import LinearSchedule
from garage_like.configuration.configured import Named
from garage_like.configuration.garage_arguments import also_called
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec, OfEnv
from garage_like.interfaces import Actor, Policy
from garage_like.sampler.framework_actor import FrameworkActor, actor_of, forget, give_memory


class ExplorationPolicy(Named, OfEnv):
    """Act as another policy does, and now and then otherwise.

    Weights are the other policy's. How much is explored depends on the env steps taken so far,
    which an algorithm reports by `update` after each batch; within a batch it does not change.

    A class of one's own defines `_explorer`, or as in garage `get_action` and `get_actions`.

    Args:
        env_spec: of the environment to act in; may be left out, as in garage, where the policy
            knows it.
        policy: what is explored around.

    Raises:
        TypeError: if there is no policy.
    """

    # What `get_actions` remembers for a recurrent policy; older snapshots lack it.
    _memory: np.ndarray | None = None

    def __init__(self, env_spec: Any, policy: Policy | None = None) -> None:
        if policy is None:
            if env_spec is None or isinstance(env_spec, EnvSpec):
                raise TypeError(f"{type(self).__name__}: expected a policy to explore around")
            env_spec, policy = getattr(env_spec, "env_spec", None), env_spec
        self._env_spec: EnvSpec = env_spec
        self.policy: Policy = policy
        self._env_steps = 0
        self._rng = seeding.stream("exploration policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment to act in."""
        return self._env_spec

    def actor(self) -> Actor:
        """Return what explores around the present weights."""
        kind = type(self)
        if kind._explorer is not ExplorationPolicy._explorer:
            return self._explorer(actor_of(self.policy))
        if kind.get_actions is ExplorationPolicy.get_actions:
            raise NotImplementedError(
                f"{kind.__name__} must define get_actions and get_action, or _explorer"
            )
        return FrameworkActor(self)

    def _explorer(self, actor: Actor) -> Actor:
        """Return an actor that explores around another one."""
        raise NotImplementedError(f"{type(self).__name__} has no _explorer")

    def metrics(self) -> dict[str, float]:
        """Return how much is explored now, as `Exploration/...`."""
        return {}

    @also_called(episodes="episode_batch")
    def update(self, episodes: EpisodeBatch) -> None:
        """Take note of the env steps of a batch."""
        self._env_steps += episodes.num_steps

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, drawn from the policy's own generator."""
        actor = self.actor()
        self._memory = give_memory(actor, len(observations), self._memory)
        return actor.act(observations, self._rng)

    @also_called(do_resets="dones")
    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Begin a new episode where told to."""
        if self._memory is not None:
            self._memory = forget(self._memory, do_resets)
        self.policy.reset(do_resets)

    def get_param_values(self) -> Any:
        """Return the other policy's weights."""
        return self.policy.get_param_values()

    def set_param_values(self, params: Any) -> None:
        """Replace the other policy's weights."""
        self.policy.set_param_values(params)


def decay(
    owner: str,
    name: str,
    maximum: float,
    minimum: float,
    total_timesteps: int,
    decay_ratio: float,
) -> LinearSchedule:
    """Return a schedule that falls in the first part of a run, and stays.

    Raises:
        ValueError: if maximum and minimum are in the wrong order, or the part is none.
    """
    if not 0.0 <= minimum <= maximum:
        raise ValueError(
            f"{owner}: expected 0 <= min_{name} <= max_{name}, got {minimum!r} and {maximum!r}"
        )
    if total_timesteps < 1:
        raise ValueError(f"{owner}: total_timesteps must be at least 1, got {total_timesteps!r}")
    if not 0.0 < decay_ratio <= 1.0:
        raise ValueError(f"{owner}: decay_ratio must be in (0, 1], got {decay_ratio!r}")
    return LinearSchedule(maximum, minimum, round(total_timesteps * decay_ratio))
