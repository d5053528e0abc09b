"""Seeds for an environment's spaces, so that actions sampled at random repeat as well."""

from __future__ import annotations

import gymnasium

from garage_like import seeding
from garage_like.data.env_layers import layers_of


def seed_spaces(
    seed: int, action_space: gymnasium.Space, observation_space: gymnasium.Space
) -> None:
    """Seed both spaces from an environment's seed, but not with it.

    With the environment's own seed, an action sampled at random would repeat the very numbers that
    the first state was drawn from.
    """
    action_space.seed(seeding.integer_seed("action_space", entropy=seed))
    observation_space.seed(seeding.integer_seed("observation_space", entropy=seed))


def seed_all_spaces(seed: int, env: gymnasium.Env) -> None:
    """Seed the spaces of a gymnasium environment and those of all that it wraps.

    A wrapper with spaces of its own hides those within, and some draw from them.
    """
    seed_spaces(seed, env.action_space, env.observation_space)
    seen = {id(env.action_space), id(env.observation_space)}
    for depth, layer in enumerate(layers_of(env)[1:]):
        for name in ("action_space", "observation_space"):
            space = getattr(layer, name, None)
            if isinstance(space, gymnasium.Space) and id(space) not in seen:
                seen.add(id(space))
                space.seed(seeding.integer_seed(name, depth, entropy=seed))
