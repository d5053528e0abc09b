"""ContextConditionedPolicy: act on a belief about the task, inferred from experience of it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.data.time_step import TimeStep
from garage_like.np.latent_actor import LatentActor
from garage_like.np.observations import flatten_observations
from garage_like.sampler.framework_actor import Remembering, actor_of
from garage_like.torch.policies.policy import Policy


class ContextConditionedPolicy(Remembering, Policy):
    """Draw a latent from the belief about the task, and act on it through an episode.

    Rakelly et al. 2019, arXiv:1903.08254. Each transition (s, a, r) of the context becomes a normal
    distribution over latents; their product is the belief, equation 3. At first it is the prior,
    N(0, 1).

    Args:
        latent_dim: numbers of a latent.
        context_encoder: maps transitions, shape (N, C), to means and variances before softplus,
            shape (N, 2 * latent_dim); or without bottleneck to parts of the latent.
        policy: acts on observations with a latent behind them.
        use_information_bottleneck: believe a distribution; else a latent, the mean of what the
            encoder makes of transitions.
        use_next_obs: transitions hold the next observation, too.

    Raises:
        ValueError: if latent_dim is not positive, or leaves no room for observations.
    """

    def __init__(
        self,
        latent_dim: int,
        context_encoder: nn.Module,
        policy: Policy,
        use_information_bottleneck: bool = True,
        use_next_obs: bool = False,
    ) -> None:
        spec = policy.env_spec
        rest = spec.observation_dim - latent_dim
        if latent_dim < 1 or rest < 1:
            raise ValueError(
                "ContextConditionedPolicy: expected latent_dim of at least 1, and observations of "
                f"policy that hold a latent and more, got latent_dim={latent_dim!r} and "
                f"{spec.observation_dim} numbers; see PEARL.augment_env_spec"
            )
        space = gymnasium.spaces.Box(-np.inf, np.inf, (rest,), np.float32)
        super().__init__(EnvSpec(space, spec.action_space, spec.max_episode_length))
        self.latent_dim = latent_dim
        self.context_encoder = context_encoder
        self.policy = policy
        self._use_information_bottleneck = use_information_bottleneck
        self._use_next_obs = use_next_obs
        self._memory: np.ndarray | None = None
        self._context: torch.Tensor | None = None
        self.z_means: torch.Tensor
        self.z_vars: torch.Tensor
        self.z: torch.Tensor
        self.register_buffer("z_means", torch.zeros(1, latent_dim))
        self.register_buffer("z_vars", torch.ones(1, latent_dim))
        self.register_buffer("z", torch.zeros(1, latent_dim))
        self.reset_belief()

    @property
    def networks(self) -> list[nn.Module]:
        """The encoder and the policy."""
        return [self.context_encoder, self.policy]

    @property
    def context(self) -> torch.Tensor | None:
        """What `update_context` has gathered, shape (N, C); None if it is nothing."""
        return self._context

    @torch.no_grad()
    def reset_belief(self) -> None:
        """Know nothing of the task: believe the prior, and forget the context."""
        self.z_means.zero_()
        self.z_vars.fill_(1.0 if self._use_information_bottleneck else 0.0)
        self._context = None
        self.sample_from_belief()

    def update_context(self, timestep: TimeStep) -> None:
        """Add an env step to the context."""
        rows = {
            "observation": np.asarray(timestep.observation)[None],
            "action": np.asarray(timestep.action)[None],
            "reward": np.atleast_1d(timestep.reward),
            "next_observation": np.asarray(timestep.next_observation)[None],
        }
        row = self.context_of(rows)
        self._context = row if self._context is None else torch.cat([self._context, row])

    @torch.no_grad()
    def infer_posterior(self, context: torch.Tensor) -> None:
        """Believe of the task what a context tells, shape (N, C) or (1, N, C)."""
        means, variances = self.posterior(context.reshape(1, -1, context.shape[-1]))
        self.z_means.copy_(means)
        self.z_vars.copy_(variances)
        self.sample_from_belief()

    @torch.no_grad()
    def sample_from_belief(self) -> None:
        """Draw `z`, shape (1, Z), the latent that `forward` acts on."""
        noise = torch.from_numpy(self._rng.standard_normal((1, self.latent_dim), np.float32))
        self.z.copy_(self.z_means + self.z_vars.sqrt() * noise.to(self.z.device))

    def posterior(self, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and variance of the belief about T tasks, each of shape (T, Z).

        Args:
            context: shape (T, N, C), N transitions of each task.
        """
        encoded = self.context_encoder(context.flatten(0, 1)).unflatten(0, context.shape[:2])
        if not self._use_information_bottleneck:
            mean = encoded.mean(dim=1)
            return mean, torch.zeros_like(mean)
        means, raw = encoded.chunk(2, dim=-1)
        precisions = 1.0 / nn.functional.softplus(raw).clamp(min=1e-7)
        variance = 1.0 / precisions.sum(dim=1)
        return variance * (precisions * means).sum(dim=1), variance

    def compute_kl_div(
        self, means: torch.Tensor | None = None, variances: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Compute KL(N(means, variances) || N(0, 1)), shape (T,); None takes what is believed."""
        means = self.z_means if means is None else means
        variances = self.z_vars if variances is None else variances
        return 0.5 * (variances + means.square() - 1.0 - variances.log()).sum(-1)

    def context_of(self, transitions: dict[str, Any]) -> torch.Tensor:
        """Turn transitions of the environment into a context, shape (N, C).

        Args:
            transitions: observation, action, reward and next_observation, each of N rows.
        """
        space, rows = self._env_spec.observation_space, len(transitions["reward"])
        actions = np.asarray(transitions["action"], np.float32).reshape(rows, -1)
        rewards = np.asarray(transitions["reward"], np.float32).reshape(rows, 1)
        parts = [flatten_observations(space, transitions["observation"]), actions, rewards]
        if self._use_next_obs:
            parts.append(flatten_observations(space, transitions["next_observation"]))
        return torch.from_numpy(np.concatenate(parts, axis=1)).to(self.z_means.device)

    def adapt_to(self, episodes: EpisodeBatch) -> None:
        """Believe of the task what episodes tell."""
        self.infer_posterior(
            self.context_of(
                {
                    "observation": episodes.observations,
                    "action": episodes.actions,
                    "reward": episodes.rewards,
                    "next_observation": episodes.next_observations,
                }
            )
        )

    def forward(self, observations: torch.Tensor, context: torch.Tensor | None = None) -> Any:
        """Return what the policy does.

        Args:
            observations: shape (N, D), on the latent `z`; with a context, shape (T, B, D).
            context: shape (T, N, C), of T tasks, for each of which a latent is drawn.

        Returns:
            What `policy` returns; with a context a pair of that, and latents, shape (T * B, Z).
        """
        if context is None:
            latents = self.z.expand(len(observations), -1)
            return self.policy(torch.cat([observations, latents], dim=1))
        means, variances = self.posterior(context)
        noise = torch.from_numpy(self._rng.standard_normal(tuple(means.shape), np.float32))
        latents = means + variances.sqrt() * noise.to(means.device)
        latents = latents.repeat_interleave(observations.shape[1], dim=0)
        rows = torch.cat([observations.flatten(0, 1), latents], dim=1)
        return self.policy(rows), latents

    def actor(self) -> LatentActor:
        """Return an actor that draws a latent when an episode begins."""
        mean, variance = self.z_means[0].cpu().numpy().copy(), self.z_vars[0].cpu().numpy()
        space = self._env_spec.observation_space
        return LatentActor(actor_of(self.policy), mean, np.sqrt(variance), space)
