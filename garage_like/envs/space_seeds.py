"""Seeds for an environment's spaces, so that actions sampled at random repeat as well."""

from __future__ import annotations

import gymnasium

from garage_like import seeding


def seed_spaces(
    seed: int, action_space: gymnasium.Space, observation_space: gymnasium.Space
) -> None:
    """Seed both spaces from an environment's seed, but not with it.

    With the environment's own seed, an action sampled at random would repeat the very numbers that
    the first state was drawn from.
    """
    action_space.seed(seeding.integer_seed("action_space", entropy=seed))
    observation_space.seed(seeding.integer_seed("observation_space", entropy=seed))
