"""EnvSpec: what an environment's inputs and outputs look like."""

from dataclasses import dataclass

import gymnasium


@dataclass(frozen=True)
class EnvSpec:
    """Describe an environment: its spaces, and how long an episode may last.

    Attributes:
        observation_space: a gymnasium space.
        action_space: a gymnasium space.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT), or None.
    """

    observation_space: gymnasium.Space
    action_space: gymnasium.Space
    max_episode_length: int | None = None

    @property
    def observation_dim(self) -> int:
        """Length of a flattened observation."""
        return int(gymnasium.spaces.flatdim(self.observation_space))

    @property
    def action_dim(self) -> int:
        """Number of actions if discrete, else the length of a flattened action."""
        return int(gymnasium.spaces.flatdim(self.action_space))

    @property
    def is_discrete(self) -> bool:
        """Whether actions are integers out of a finite set."""
        return isinstance(self.action_space, gymnasium.spaces.Discrete)
