"""Transitions, and algorithms of a few numbers, for tests of single gradient steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from garage_like.data.batches import StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.replay_buffer import PathBuffer
from garage_like.torch.policies import DeterministicMLPPolicy, TanhGaussianMLPPolicy
from garage_like.torch.q_functions import ContinuousMLPQFunction

BATCH = 6
DISCRETE = EnvSpec(spaces.Box(-9, 9, (3,), np.float32), spaces.Discrete(4))
BOX = EnvSpec(
    spaces.Box(-9, 9, (3,), np.float32),
    spaces.Box(np.array([-1.0, -3.0], np.float32), np.array([1.0, 3.0], np.float32)),
)
SMALL = {"min_buffer_size": 1, "num_evaluation_episodes": 0}


def transitions(spec: EnvSpec, weights: bool = False, seed: int = 0) -> dict[str, np.ndarray]:
    """Return a batch as `sample_transitions` does; it has terminations and timeouts."""
    rng = np.random.default_rng(seed)
    if spec.is_discrete:
        actions = rng.integers(0, 4, BATCH)
    else:
        actions = rng.uniform(-1, 1, (BATCH, 2)).astype(np.float32)
    batch = {
        "observation": rng.normal(size=(BATCH, 3)).astype(np.float32),
        "action": actions,
        "reward": rng.normal(size=BATCH).astype(np.float32),
        "next_observation": rng.normal(size=(BATCH, 3)).astype(np.float32),
        "step_type": np.array([0, 1, 2, 3, 2, 1], np.uint8),
    }
    if weights:
        batch["weight"] = rng.uniform(0.1, 1.0, BATCH).astype(np.float32)
    return batch


CONTINUES = torch.tensor([1.0, 1, 0, 1, 0, 1])
assert StepType.TERMINAL == 2


def tensors(batch: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(value) for key, value in batch.items()}


def continuous_parts(deterministic: bool) -> tuple[Any, list[Any], PathBuffer]:
    """Return a policy, two Q-functions and a buffer, always the same."""
    set_seed(2)
    cls = DeterministicMLPPolicy if deterministic else TanhGaussianMLPPolicy
    qfs = [ContinuousMLPQFunction(BOX, (7,)) for _ in range(2)]
    return cls(BOX, (7,)), qfs, PathBuffer(50, BOX)


def weights_of(*modules: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for module in modules for p in module.parameters()]


def assert_all_close(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    assert len(ours) == len(theirs)
    for own, other in zip(ours, theirs, strict=True):
        assert torch.allclose(own, other, atol=1e-6)


def stepped(loss: torch.Tensor, learning_rate: float, *modules: torch.nn.Module) -> list:
    """Return the weights after one step of plain gradient descent."""
    params = [p for module in modules for p in module.parameters()]
    gradients = torch.autograd.grad(loss, params, retain_graph=True)
    return [(p - learning_rate * g).detach() for p, g in zip(params, gradients, strict=True)]
