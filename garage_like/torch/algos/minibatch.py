"""Minibatch: transitions as tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from garage_like.data.batches import StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.np.observations import flatten_observations
from garage_like.replay_buffer.transitions import Transitions


class Minibatch(NamedTuple):
    """What one gradient step learns from: B transitions.

    Attributes:
        observations: shape (B, D), flat, float32.
        actions: shape (B, K), flat, float32; or (B,), int64, if discrete.
        rewards: shape (B,), scaled.
        next_observations: shape (B, D).
        continues: shape (B,), 0 where the episode terminated, else 1: a timeout continues.
        weights: shape (B,), by which losses are multiplied; None for 1.
    """

    observations: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    next_observations: torch.Tensor
    continues: torch.Tensor
    weights: torch.Tensor | None


def make_minibatch(
    transitions: Transitions, env_spec: EnvSpec, reward_scale: float, device: torch.device
) -> Minibatch:
    """Look at transitions as tensors; on a CPU nothing is copied but what must be converted."""
    space = env_spec.observation_space
    actions, weights = transitions["action"], transitions.get("weight")
    rewards = transitions["reward"]
    if not env_spec.is_discrete:
        actions = actions.reshape(len(actions), -1)
    if reward_scale != 1.0:
        rewards = rewards * np.float32(reward_scale)
    arrays = (
        flatten_observations(space, transitions["observation"]),
        actions,
        rewards,
        flatten_observations(space, transitions["next_observation"]),
        (transitions["step_type"] != StepType.TERMINAL).astype(np.float32),
    )
    tensors = [torch.from_numpy(array) for array in arrays]
    tensors.append(None if weights is None else torch.from_numpy(weights))  # type: ignore[arg-type]
    if device.type != "cpu":
        tensors = [None if tensor is None else tensor.to(device) for tensor in tensors]
    return Minibatch(*tensors)
