"""Which action spaces a policy is for."""

from __future__ import annotations

from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec


def check_discrete(owner: str, env_spec: EnvSpec) -> None:
    """Raise ValueError unless actions are 0 to n - 1."""
    space = env_spec.action_space
    if not isinstance(space, spaces.Discrete) or space.start != 0:
        raise ValueError(
            f"{owner} needs actions 0 to n - 1: a Discrete action space with start=0, got "
            f"{space!r}; for a Box there are GaussianMLPPolicy and ContinuousMLPPolicy"
        )


def check_box(owner: str, env_spec: EnvSpec) -> None:
    """Raise ValueError unless actions are numbers."""
    if not isinstance(env_spec.action_space, spaces.Box):
        raise ValueError(
            f"{owner} needs a Box action space, got {env_spec.action_space!r}; for a Discrete one "
            "there is CategoricalMLPPolicy"
        )
