"""CartPole-v1 of gymnasium as pure functions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from garage_like.jax.envs.functional import FunctionalEnv


class CartPoleParams(NamedTuple):
    """Numbers of the cart and its pole, in SI units."""

    gravity: float = 9.8
    cart_mass: float = 1.0
    pole_mass: float = 0.1
    half_length: float = 0.5
    force: float = 10.0
    seconds: float = 0.02
    largest_angle: float = 12 * 2 * math.pi / 360
    largest_position: float = 2.4


class CartPole(FunctionalEnv):
    """Balance a pole on a cart: push left or right; each step pays 1.

    Barto, Sutton and Anderson 1983; the same equations and limits as gymnasium's CartPole-v1.
    """

    max_episode_length = 500

    @property
    def default_params(self) -> CartPoleParams:
        """As in gymnasium."""
        return CartPoleParams()

    def observation_space(self, params: CartPoleParams) -> gymnasium.Space:
        """Position, velocity, angle and its velocity."""
        position, angle = 2 * params.largest_position, 2 * params.largest_angle
        high = np.array([position, np.inf, angle, np.inf], np.float32)
        return gymnasium.spaces.Box(-high, high)

    def action_space(self, params: CartPoleParams) -> gymnasium.Space:
        """Push left, or right."""
        return gymnasium.spaces.Discrete(2)

    def begin(self, key: jax.Array, params: CartPoleParams) -> jax.Array:
        """Return a state near the middle, shape (4,)."""
        return jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05)

    def observe(self, state: jax.Array, params: CartPoleParams) -> jax.Array:
        """Return the whole state, shape (4,)."""
        return state

    def move(
        self, key: jax.Array, state: jax.Array, action: Any, params: CartPoleParams
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Take one Euler step."""
        _, velocity, angle, turning = state
        mass = params.cart_mass + params.pole_mass
        moment = params.pole_mass * params.half_length
        force = jnp.where(action == 1, params.force, -params.force)
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        push = (force + moment * turning**2 * sine) / mass
        lever = params.half_length * (4.0 / 3.0 - params.pole_mass * cosine**2 / mass)
        turn = (params.gravity * sine - cosine * push) / lever
        speed_up = push - moment * turn * cosine / mass
        change = jnp.stack([velocity, speed_up, turning, turn])
        moved = state + params.seconds * change
        has_fallen = (jnp.abs(moved[0]) > params.largest_position) | (
            jnp.abs(moved[2]) > params.largest_angle
        )
        return moved, jnp.ones(()), has_fallen
