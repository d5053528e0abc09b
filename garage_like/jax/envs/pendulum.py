"""Pendulum-v1 of gymnasium as pure functions."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from garage_like.jax.envs.functional import FunctionalEnv


class PendulumParams(NamedTuple):
    """Numbers of the pendulum, in SI units."""

    gravity: float = 10.0
    mass: float = 1.0
    length: float = 1.0
    seconds: float = 0.05
    largest_speed: float = 8.0
    largest_torque: float = 2.0


class Pendulum(FunctionalEnv):
    """Swing a pendulum up and hold it; the same equations and limits as gymnasium's Pendulum-v1."""

    max_episode_length = 200

    @property
    def default_params(self) -> PendulumParams:
        """As in gymnasium."""
        return PendulumParams()

    def observation_space(self, params: PendulumParams) -> gymnasium.Space:
        """Cosine and sine of the angle, and its velocity."""
        high = np.array([1.0, 1.0, params.largest_speed], np.float32)
        return gymnasium.spaces.Box(-high, high)

    def action_space(self, params: PendulumParams) -> gymnasium.Space:
        """The torque."""
        return gymnasium.spaces.Box(-params.largest_torque, params.largest_torque, (1,), np.float32)

    def begin(self, key: jax.Array, params: PendulumParams) -> jax.Array:
        """Return angle and velocity, anywhere, shape (2,)."""
        high = jnp.array([jnp.pi, 1.0])
        return jax.random.uniform(key, (2,), minval=-high, maxval=high)

    def observe(self, state: jax.Array, params: PendulumParams) -> jax.Array:
        """Return cosine, sine and velocity, shape (3,)."""
        return jnp.stack([jnp.cos(state[0]), jnp.sin(state[0]), state[1]])

    def move(
        self, key: jax.Array, state: jax.Array, action: jax.Array, params: PendulumParams
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Take one Euler step; the reward is minus the cost of where it began."""
        torque = jnp.clip(action.reshape(()), -params.largest_torque, params.largest_torque)
        angle, speed = state
        off = (angle + jnp.pi) % (2 * jnp.pi) - jnp.pi
        cost = off**2 + 0.1 * speed**2 + 0.001 * torque**2
        inertia = params.mass * params.length**2
        faster = 1.5 * params.gravity / params.length * jnp.sin(angle) + 3.0 / inertia * torque
        speed = jnp.clip(
            speed + faster * params.seconds, -params.largest_speed, params.largest_speed
        )
        moved = jnp.stack([angle + speed * params.seconds, speed])
        return moved, -cost, jnp.zeros((), bool)
