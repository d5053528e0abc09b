"""Minibatch: transitions as an update takes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from garage_like.data.batches import StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.replay_buffer.transitions import Transitions
from garage_like.tf.quiet_import import tf


class Minibatch(NamedTuple):
    """What one gradient step learns from: B transitions, as arrays or tensors.

    Attributes:
        observations: shape (B, D), flat, float32.
        actions: shape (B, K), flat, float32; or (B,), int64, if discrete.
        rewards: shape (B,), scaled.
        next_observations: shape (B, D).
        continues: shape (B,), 0 where the episode terminated, else 1: a timeout continues.
        weights: shape (B,), by which losses are multiplied.
    """

    observations: tf.Tensor
    actions: tf.Tensor
    rewards: tf.Tensor
    next_observations: tf.Tensor
    continues: tf.Tensor
    weights: tf.Tensor


def make_minibatch(transitions: Transitions, env_spec: EnvSpec, reward_scale: float) -> Minibatch:
    """Return transitions as the arguments of a traced update."""
    space = env_spec.observation_space
    actions, weights = transitions["action"], transitions.get("weight")
    rewards = transitions["reward"]
    if env_spec.is_discrete:
        actions = actions.astype(np.int64, copy=False)
    else:
        actions = actions.reshape(len(actions), -1).astype(np.float32, copy=False)
    if reward_scale != 1.0:
        rewards = rewards * np.float32(reward_scale)
    return Minibatch(
        flatten_observations(space, transitions["observation"]),
        actions,
        rewards,
        flatten_observations(space, transitions["next_observation"]),
        (transitions["step_type"] != StepType.TERMINAL).astype(np.float32),
        np.ones(len(rewards), np.float32) if weights is None else weights,
    )
