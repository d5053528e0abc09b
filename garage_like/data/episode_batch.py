"""EpisodeBatch: episodes one after the other; `batches` has the legend of array shapes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.data.env_step import StepType
from garage_like.data.infos import (
    Infos,
    check_rows,
    check_steps,
    check_values,
    concatenate_infos,
    slice_infos,
)
from garage_like.data.time_step import TimeStep, time_steps_of

# Looking a member up on the Enum class costs more than to compare with it.
_TERMINAL = int(StepType.TERMINAL)


@dataclass(frozen=True, eq=False)
class EpisodeBatch:
    """Whole episodes, or fragments of them, one after the other in arrays of S rows.

    Attributes:
        env_spec: of the environment that they come from.
        episode_infos_by_episode: arrays of N rows, from `Environment.reset`.
        observations: shape (S, O*).
        last_observations: shape (N, O*), after each episode's last action.
        actions: shape (S, A*), or (S,) if discrete.
        rewards: shape (S,), undiscounted.
        env_infos: arrays of S rows, from `Environment.step`.
        agent_infos: arrays of S rows, from the policy.
        step_types: shape (S,), StepType as uint8.
        lengths: shape (N,), steps of each episode.

    Raises:
        ValueError: if there is no episode, if an array has the wrong number of rows, if a length is
            not positive, or if an episode goes on after a step that ended it.
    """

    env_spec: EnvSpec
    episode_infos_by_episode: Infos
    observations: np.ndarray
    last_observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    env_infos: Infos
    agent_infos: Infos
    step_types: np.ndarray
    lengths: np.ndarray

    def __post_init__(self) -> None:
        """Check that all arrays agree on S and N, and that episodes end where they should."""
        lengths = np.asarray(self.lengths)
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths):
            raise ValueError(
                "EpisodeBatch: lengths must be a 1-D integer array, one for each episode and at "
                f"least one, got {self.lengths!r}"
            )
        each = lengths.tolist()
        if min(each) < 1:
            raise ValueError(f"EpisodeBatch: every episode has at least one step, got {lengths!r}")
        object.__setattr__(self, "lengths", lengths)
        steps, episodes = sum(each), len(each)
        for name in ("observations", "actions", "rewards", "step_types", "env_infos"):
            check_rows("EpisodeBatch", name, getattr(self, name), steps)
        check_rows("EpisodeBatch", "agent_infos", self.agent_infos, steps)
        check_rows("EpisodeBatch", "last_observations", self.last_observations, episodes)
        types = check_steps("EpisodeBatch", self.rewards, self.step_types)
        object.__setattr__(self, "step_types", types)
        if self.env_spec is not None:
            seen, done = self.env_spec.observation_space, self.env_spec.action_space
            check_values("EpisodeBatch", "observations", self.observations, seen)
            check_values("EpisodeBatch", "last_observations", self.last_observations, seen)
            check_values("EpisodeBatch", "actions", self.actions, done)
        check_rows("EpisodeBatch", "episode_infos", self.episode_infos_by_episode, episodes)
        over = np.asarray(self.step_types) >= _TERMINAL
        over[steps - 1 if episodes == 1 else self.ends - 1] = False
        if np.count_nonzero(over):  # in a fifth of the time of `any`
            raise ValueError(
                "EpisodeBatch: only an episode's last step may be TERMINAL or TIMEOUT, got "
                f"{StepType(int(self.step_types[over][0])).name} in row {int(over.argmax())} with "
                f"lengths {lengths.tolist()}"
            )

    def __len__(self) -> int:
        """Return the number of episodes, N."""
        return len(self.lengths)

    @property
    def num_steps(self) -> int:
        """Env steps of all episodes, S."""
        return len(self.rewards)

    @property
    def episode_infos(self) -> Infos:
        """Episode infos repeated for each step: arrays of S rows."""
        return slice_infos(
            self.episode_infos_by_episode, np.repeat(np.arange(len(self)), self.lengths)
        )

    @property
    def observations_list(self) -> list[np.ndarray]:
        """Observations of each episode."""
        return [self.observations[rows] for rows in self.episode_slices()]

    @property
    def actions_list(self) -> list[np.ndarray]:
        """Actions of each episode."""
        return [self.actions[rows] for rows in self.episode_slices()]

    @property
    def terminals(self) -> np.ndarray:
        """Whether the episode terminated at each step: shape (S,), bool."""
        return self.step_types == StepType.TERMINAL

    @property
    def ends(self) -> np.ndarray:
        """Row after each episode's last: shape (N,)."""
        return np.cumsum(self.lengths)

    @property
    def next_observations(self) -> np.ndarray:
        """Observations after each action: shape (S, O*)."""
        following = np.empty_like(self.observations)
        following[:-1] = self.observations[1:]
        following[self._last_rows] = self.last_observations
        return following

    @property
    def _last_rows(self) -> Any:
        """Row of each episode's last step: shape (N,)."""
        # Off-policy algorithms come with one fragment at a time, where each operation counts.
        return [len(self.rewards) - 1] if len(self.lengths) == 1 else self.ends - 1

    @property
    def last_step_types(self) -> np.ndarray:
        """Step type of each episode's last step: shape (N,)."""
        last: np.ndarray = self.step_types[self._last_rows]
        return last

    @property
    def have_ended(self) -> np.ndarray:
        """Whether each episode ended with its last step: shape (N,), bool."""
        ended: np.ndarray = self.last_step_types >= _TERMINAL
        return ended

    def episode_slices(self) -> Iterator[slice]:
        """Yield the rows of each episode in turn."""
        start = 0
        for end in self.ends.tolist():
            yield slice(start, end)
            start = end

    def pad(self, array: Any) -> Any:
        """Lay an array of S rows, or infos, out as (N, T, ...); zeros follow an episode's end."""
        if isinstance(array, dict):
            return {key: self.pad(value) for key, value in array.items()}
        padded = np.zeros((len(self), int(self.lengths.max()), *array.shape[1:]), array.dtype)
        padded[self.valids] = array
        return padded

    @property
    def valids(self) -> np.ndarray:
        """Whether a padded step is real: shape (N, T), bool."""
        return np.arange(int(self.lengths.max())) < np.asarray(self.lengths)[:, None]

    @property
    def padded_observations(self) -> np.ndarray:
        """Observations, shape (N, T, O*)."""
        return self.pad(self.observations)

    @property
    def padded_actions(self) -> np.ndarray:
        """Actions, shape (N, T, A*)."""
        return self.pad(self.actions)

    @property
    def padded_rewards(self) -> np.ndarray:
        """Rewards, shape (N, T)."""
        return self.pad(self.rewards)

    @property
    def padded_next_observations(self) -> np.ndarray:
        """Observations after each action, shape (N, T, O*)."""
        return self.pad(self.next_observations)

    @property
    def padded_step_types(self) -> np.ndarray:
        """Step types, shape (N, T); 0 is FIRST, so look at `valids` too."""
        return self.pad(self.step_types)

    @property
    def padded_agent_infos(self) -> Infos:
        """Agent infos, arrays of shape (N, T, ...)."""
        return self.pad(self.agent_infos)

    @property
    def padded_env_infos(self) -> Infos:
        """Env infos, arrays of shape (N, T, ...)."""
        return self.pad(self.env_infos)

    @classmethod
    def concatenate(cls, *batches: EpisodeBatch) -> EpisodeBatch:
        """Join batches of one environment, in the order given."""
        if not batches:
            raise ValueError("EpisodeBatch.concatenate: expected at least one batch, got none")
        if len(batches) == 1:
            return batches[0]
        return cls(**join_fields(batches))

    def split(self) -> list[EpisodeBatch]:
        """Return one batch for each episode."""
        return [
            EpisodeBatch(
                env_spec=self.env_spec,
                episode_infos_by_episode=slice_infos(
                    self.episode_infos_by_episode, slice(i, i + 1)
                ),
                observations=self.observations[rows],
                last_observations=self.last_observations[i : i + 1],
                actions=self.actions[rows],
                rewards=self.rewards[rows],
                env_infos=slice_infos(self.env_infos, rows),
                agent_infos=slice_infos(self.agent_infos, rows),
                step_types=self.step_types[rows],
                lengths=np.asarray(self.lengths)[i : i + 1],
            )
            for i, rows in enumerate(self.episode_slices())
        ]

    def to_list(self) -> list[dict[str, Any]]:
        """Return one dict of arrays for each episode, as `from_list` takes them."""
        return [
            {
                "episode_infos": slice_infos(batch.episode_infos_by_episode, slice(None)),
                "observations": batch.observations,
                "next_observations": batch.next_observations,
                "actions": batch.actions,
                "rewards": batch.rewards,
                "env_infos": batch.env_infos,
                "agent_infos": batch.agent_infos,
                "step_types": batch.step_types,
            }
            for batch in self.split()
        ]

    def to_time_step_list(self) -> list[TimeStep]:
        """Return all steps one by one; a step can be asked for `step["observations"]`, too."""
        return time_steps_of(self)

    @classmethod
    def from_list(
        cls,
        env_spec: EnvSpec,
        episodes: Sequence[dict[str, Any]] = (),
        *,
        paths: Sequence[dict[str, Any]] = (),
    ) -> EpisodeBatch:
        """Build a batch from dicts as `to_list` returns them.

        Args:
            env_spec: of the environment that they come from.
            episodes: a dict for each; its `observations` may end with what followed the last step,
                then there need be no `next_observations`; `dones` may stand for `step_types`.
            paths: garage's name for `episodes`.
        """
        episodes = episodes or paths
        if not episodes:
            raise ValueError("EpisodeBatch.from_list: expected at least one episode, got none")
        return cls.concatenate(
            *(
                cls(
                    env_spec=env_spec,
                    episode_infos_by_episode=episode.get("episode_infos", {}),
                    observations=episode["observations"][: len(episode["rewards"])],
                    last_observations=_what_followed(episode),
                    actions=episode["actions"],
                    rewards=episode["rewards"],
                    env_infos=episode.get("env_infos", {}),
                    agent_infos=episode.get("agent_infos", {}),
                    step_types=_step_types_of(episode),
                    lengths=np.array([len(episode["rewards"])]),
                )
                for episode in episodes
            )
        )


def _what_followed(episode: dict[str, Any]) -> np.ndarray:
    """Return the observation after an episode's last step, shape (1, O*).

    Where it is not there, the one before it has to do, as it does in garage.
    """
    following = episode.get("next_observations")
    return np.asarray(episode["observations"] if following is None else following)[-1:]


def _step_types_of(episode: dict[str, Any]) -> np.ndarray:
    """Return an episode's step types, or what its `dones` say of them."""
    if "step_types" in episode:
        types: np.ndarray = episode["step_types"]
        return types
    return np.where(episode["dones"], StepType.TERMINAL, StepType.MID).astype(np.uint8)


def _by_either_name(construct: Any) -> Any:
    """Let a constructor take `episode_infos`, garage's name for infos by episode."""

    @functools.wraps(construct)
    def constructor(self: Any, *args: Any, episode_infos: Infos | None = None, **kw: Any) -> None:
        if episode_infos is not None:
            kw["episode_infos_by_episode"] = episode_infos
        construct(self, *args, **kw)

    shown = inspect.signature(construct)
    also = inspect.Parameter(
        "episode_infos", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="Infos | None"
    )
    parameters = [*shown.parameters.values(), also]
    constructor.__signature__ = shown.replace(parameters=parameters)  # type: ignore[attr-defined]
    return constructor


EpisodeBatch.__init__ = _by_either_name(EpisodeBatch.__init__)  # type: ignore[method-assign]


def join_fields(batches: Sequence[Any]) -> dict[str, Any]:
    """Join the fields of batches of one class, as its constructor takes them."""
    joined: dict[str, Any] = {"env_spec": batches[0].env_spec}
    for f in fields(batches[0])[1:]:
        parts = [getattr(batch, f.name) for batch in batches]
        if f.name == "episode_infos_by_episode":
            joined[f.name] = concatenate_infos(parts, [len(batch) for batch in batches])
        elif isinstance(parts[0], dict):
            joined[f.name] = concatenate_infos(parts, [len(batch.rewards) for batch in batches])
        else:
            joined[f.name] = np.concatenate(parts)
    return joined
