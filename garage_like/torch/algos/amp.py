"""AMP: adversarial motion priors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Unpack

import numpy as np
import torch
from torch import nn

from garage_like import seeding
from garage_like.algos.on_policy import (
    METRICS,
    OnPolicyBatch,
    OnPolicyOptions,
)
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.np.observations import flatten_observations
from garage_like.torch.algos.ppo import PPO
from garage_like.torch.modules.mlp import MLP
from garage_like.torch.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.torch.policies.stochastic_policy import StochasticPolicy

_FURTHEST = 5.0  # from the reference's mean, in its standard deviations


class _Options(OnPolicyOptions, total=False):
    policy_optimizer: OptimizerWrapper | None
    vf_optimizer: OptimizerWrapper | None
    lr_clip_range: float
    gae_lambda: float


class AMP(PPO):
    """Move as a reference does, as far as a discriminator can tell, and do a task besides.

    Peng et al. 2021, arXiv:2104.02180. The discriminator D scores how the body moves from one env
    step to the next, 1 as in the reference and -1 as by the policy; what it makes of the policy's
    own steps is a reward for style,

        r_S(s, s') = max(0, 1 - (D(s, s') - 1)^2 / 4),

    which PPO makes large. Differs from the paper: the discriminator sees the policy's last batch,
    and no older ones.

    Args:
        motion: of the reference, clips of shape (T, F): what the numbers chosen by `features` are
            at T env steps, one after the other.
        features: which numbers of a flat observation describe how the body moves; None for all.
        task_reward_weight: factor for the environment's rewards.
        style_reward_weight: factor for those of style.
        discriminator_hidden_sizes: units of each hidden layer.
        discriminator_lr: learning rate.
        gradient_penalty: weight of the squared gradient of D where the reference moves, which keeps
            it from telling the two apart by a hair.
        **options: arguments of PPO.

    Raises:
        ValueError: if an argument is out of range, or the motion does not go with the features.
        TypeError: if the value function or an optimizer is of the wrong kind.
    """

    METRICS = {
        **METRICS,
        "Loss/Discriminator": "Loss of the discriminator, before it was fitted to the batch.",
        "Discriminator/Reference": "Mean score of the reference's steps, then; 1 if all are known.",
        "Discriminator/Policy": "Mean score of the policy's steps, then; -1 if all are known.",
        "Reward/Style": "Mean reward for style of an env step, before its weight; between 0 and 1.",
    }

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: StochasticPolicy,
        value_function: Baseline,
        sampler: Sampler | None = None,
        *,
        motion: Sequence[np.ndarray],
        features: Sequence[int] | None = None,
        task_reward_weight: float = 0.5,
        style_reward_weight: float = 0.5,
        discriminator_hidden_sizes: Sequence[int] = (64, 64),
        discriminator_lr: float = 3e-4,
        gradient_penalty: float = 10.0,
        **options: Unpack[_Options],
    ) -> None:
        super().__init__(env_spec, policy, value_function, sampler, **options)
        for name, value in (
            ("task_reward_weight", task_reward_weight),
            ("style_reward_weight", style_reward_weight),
            ("gradient_penalty", gradient_penalty),
        ):
            if not 0.0 <= value < math.inf:
                raise ValueError(f"AMP: {name} must be 0 or more, got {value!r}")
        known = range(env_spec.observation_dim)
        chosen = list(known if features is None else features)
        if not chosen or any(number not in known for number in chosen):
            raise ValueError(
                f"AMP: features must be some of the numbers 0 to {known.stop - 1} of a flat "
                f"observation, got {chosen!r}"
            )
        self._features = np.asarray(chosen, np.int64)
        self._reference = _pairs(motion, len(self._features))
        self._centre = self._reference.mean(axis=0)
        self._spread = self._reference.std(axis=0) + 1e-3
        self._task_reward_weight = task_reward_weight
        self._style_reward_weight = style_reward_weight
        self._gradient_penalty = gradient_penalty
        self.discriminator = MLP(
            2 * len(self._features), 1, discriminator_hidden_sizes, hidden_nonlinearity=nn.ReLU
        )
        self._discriminator_optimizer = OptimizerWrapper(
            (torch.optim.Adam, {"lr": discriminator_lr}), self.discriminator, 5, 128
        )
        self._rng = seeding.stream("AMP")
        self._style_metrics: dict[str, float] = {}

    def _learning_batch(
        self, episodes: EpisodeBatch, values: np.ndarray, last_values: np.ndarray
    ) -> OnPolicyBatch:
        moves = self._moves(episodes)
        with torch.no_grad():
            scores = self.discriminator(moves).squeeze(1).cpu().numpy()
        style = np.maximum(0.0, 1.0 - 0.25 * np.square(scores - 1.0))
        rewards = self._task_reward_weight * episodes.rewards + self._style_reward_weight * style
        self._train_discriminator(moves)
        self._style_metrics["Reward/Style"] = float(style.mean(dtype=np.float64))
        styled = dataclasses.replace(episodes, rewards=rewards)
        return super()._learning_batch(styled, values, last_values)

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        return {**super()._update(batch), **self._style_metrics}

    def _moves(self, episodes: EpisodeBatch) -> torch.Tensor:
        """Return how the body moved at each env step, shape (S, 2 * F), scaled."""
        space = self._env_spec.observation_space
        seen = (episodes.observations, episodes.next_observations)
        parts = [flatten_observations(space, rows)[:, self._features] for rows in seen]
        return self._scaled(np.concatenate(parts, axis=1))

    def _scaled(self, moves: np.ndarray) -> torch.Tensor:
        # What hardly moves in the reference would otherwise tell the two apart by its size alone.
        rows = np.clip((moves - self._centre) / self._spread, -_FURTHEST, _FURTHEST)
        device = next(self.discriminator.parameters()).device
        return torch.from_numpy(rows.astype(np.float32)).to(device)

    def _train_discriminator(self, moves: torch.Tensor) -> None:
        """Fit the scores to as many of the reference's moves as there are of the policy's."""
        drawn = self._rng.integers(len(self._reference), size=len(moves))
        reference = self._scaled(self._reference[drawn])
        with torch.no_grad():
            scores = [self.discriminator(rows).mean().item() for rows in (reference, moves)]
        self._style_metrics = {
            "Loss/Discriminator": self._discriminator_loss(reference, moves).item(),
            "Discriminator/Reference": scores[0],
            "Discriminator/Policy": scores[1],
        }
        self._discriminator_optimizer.minimize(self._discriminator_loss, reference, moves)

    def _discriminator_loss(self, reference: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
        """Compute mean((D(ref) - 1)^2) + mean((D(policy) + 1)^2) + w / 2 mean(|dD(ref)|^2)."""
        reference = reference.detach().requires_grad_()
        known, ours = self.discriminator(reference), self.discriminator(moves)
        (slopes,) = torch.autograd.grad(known.sum(), reference, create_graph=True)
        penalty = slopes.square().sum(dim=1).mean()
        errors = (known - 1.0).square().mean() + (ours + 1.0).square().mean()
        return errors + 0.5 * self._gradient_penalty * penalty


def _pairs(motion: Sequence[np.ndarray], features: int) -> np.ndarray:
    """Return each env step of clips with the one after it, shape (M, 2 * F).

    Raises:
        ValueError: if a clip is of other features, or there is no step.
    """
    clips = [np.asarray(clip, np.float64) for clip in motion]
    for clip in clips:
        if clip.ndim != 2 or clip.shape[1] != features or len(clip) < 2:
            raise ValueError(
                f"AMP: motion must be clips of shape (T, {features}), T at least 2, got one of "
                f"shape {clip.shape}"
            )
    if not clips:
        raise ValueError("AMP: motion must be at least one clip, got none")
    return np.concatenate([np.concatenate([clip[:-1], clip[1:]], axis=1) for clip in clips])
