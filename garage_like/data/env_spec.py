"""EnvSpec: what an environment's inputs and outputs look like."""

from dataclasses import dataclass, field

import gymnasium

from garage_like.data import flat_spaces as flat_spaces  # spaces get the methods that garage's had


@dataclass(frozen=True)
class InOutSpec:
    """Describe what goes into something and what comes out of it.

    Attributes:
        input_space: a gymnasium space.
        output_space: a gymnasium space.
    """

    input_space: gymnasium.Space
    output_space: gymnasium.Space


@dataclass(frozen=True)
class EnvSpec:
    """Describe an environment: its spaces, and how long an episode may last.

    Attributes:
        observation_space: a gymnasium space.
        action_space: a gymnasium space.
        max_episode_length: env steps after which an episode is cut off (TIMEOUT), or None.
        flattened_from: the space of observations before GymEnv flattened them; None if it did not.
    """

    observation_space: gymnasium.Space
    action_space: gymnasium.Space
    max_episode_length: int | None = None
    flattened_from: gymnasium.Space | None = field(default=None, compare=False, repr=False)

    @property
    def input_space(self) -> gymnasium.Space:
        """The space of observations."""
        return self.observation_space

    @property
    def output_space(self) -> gymnasium.Space:
        """The space of actions."""
        return self.action_space

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


class OfEnv:
    """Tell the spaces of the environment that something was made for, its `env_spec`."""

    @property
    def observation_space(self) -> gymnasium.Space:
        """The space of the observations that it is given."""
        space: gymnasium.Space = self.env_spec.observation_space  # type: ignore[attr-defined]
        return space

    @property
    def action_space(self) -> gymnasium.Space:
        """The space of its actions."""
        space: gymnasium.Space = self.env_spec.action_space  # type: ignore[attr-defined]
        return space
