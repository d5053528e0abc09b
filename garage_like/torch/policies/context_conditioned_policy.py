"""ContextConditionedPolicy: act on a belief about the task, inferred from experience of it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.latent_actor import LatentActor
from garage_like.np.observations import flatten_observations
from garage_like.sampler.framework_actor import actor_of, forget, give_memory
from garage_like.torch.policies.policy import Policy


class ContextConditionedPolicy(Policy):
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
        self.z_mean: torch.Tensor
        self.z_var: torch.Tensor
        self.register_buffer("z_mean", torch.zeros(latent_dim))
        self.register_buffer("z_var", torch.ones(latent_dim))

    @torch.no_grad()
    def reset_belief(self) -> None:
        """Know nothing of the task: believe the prior."""
        self.z_mean.zero_()
        self.z_var.fill_(1.0 if self._use_information_bottleneck else 0.0)

    @torch.no_grad()
    def infer_posterior(self, context: torch.Tensor) -> None:
        """Believe of the task what a context tells, shape (N, C)."""
        means, variances = self.posterior(context[None])
        self.z_mean.copy_(means[0])
        self.z_var.copy_(variances[0])

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

    @staticmethod
    def compute_kl_div(means: torch.Tensor, variances: torch.Tensor) -> torch.Tensor:
        """Compute KL(N(means, variances) || N(0, 1)), shape (T,)."""
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
        return torch.from_numpy(np.concatenate(parts, axis=1)).to(self.z_mean.device)

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

    def forward(self, observations: torch.Tensor) -> Any:
        """Return what the policy does on the mean of the belief, for observations, shape (N, D)."""
        latents = self.z_mean.expand(len(observations), -1)
        return self.policy(torch.cat([observations, latents], dim=1))

    def actor(self) -> LatentActor:
        """Return an actor that draws a latent when an episode begins."""
        mean, variance = self.z_mean.cpu().numpy().copy(), self.z_var.cpu().numpy()
        space = self._env_spec.observation_space
        return LatentActor(actor_of(self.policy), mean, np.sqrt(variance), space)

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, on latents of N episodes that it remembers."""
        actor = self.actor()
        self._memory = give_memory(actor, len(observations), self._memory)
        return actor.act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget latents that `get_actions` remembers; do_resets: shape (N,), of which episodes."""
        self._memory = forget(self._memory, do_resets)
