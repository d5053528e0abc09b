"""GaussianMLPTaskEmbeddingPolicy: act on a latent of the task, drawn for each episode."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from garage_like.data.batches import EpisodeBatch, StepType
from garage_like.data.env_spec import EnvSpec
from garage_like.np.latent_actor import TaskLatentActor
from garage_like.sampler.framework_actor import Remembering, actor_of
from garage_like.tf.distributions import DiagonalGaussian
from garage_like.tf.policies.gaussian_mlp_policy import GaussianMLPPolicy
from garage_like.tf.policies.stochastic_policy import StochasticPolicy
from garage_like.tf.quiet_import import tf


class SkillDistribution:
    """Give the latent of an episode and its actions: the latent is part of the first action.

    Args:
        actions: of each env step, given the latent.
        latents: of the episode's task.
        latent: shape (N, Z), which was drawn.
        begins: shape (N,), 1 where an episode begins, else 0.
    """

    def __init__(
        self,
        actions: DiagonalGaussian,
        latents: DiagonalGaussian,
        latent: tf.Tensor,
        begins: tf.Tensor,
    ) -> None:
        self.actions, self.latents = actions, latents
        self._latent, self._begins = latent, begins

    def log_prob(self, value: tf.Tensor) -> tf.Tensor:
        """Return log pi(a | s, z), and log p(z | task) where an episode begins, shape (N,)."""
        chosen = self._begins * self.latents.log_prob(self._latent)
        return self.actions.log_prob(value) + chosen

    def entropy(self) -> tf.Tensor:
        """Return the entropy of actions given the latent, shape (N,), in nats."""
        return self.actions.entropy()

    def kl_divergence(self, other: SkillDistribution) -> tf.Tensor:
        """Return the sum of both divergences, that of latents where an episode begins."""
        latents = self._begins * self.latents.kl_divergence(other.latents)
        return self.actions.kl_divergence(other.actions) + latents

    def detached(self) -> SkillDistribution:
        """Return the same distribution, through which no gradient flows."""
        both = (self.actions.detached(), self.latents.detached())
        return SkillDistribution(*both, self._latent, self._begins)


class GaussianMLPTaskEmbeddingPolicy(Remembering, StochasticPolicy):
    """Draw a latent by the task when an episode begins, and act on it in place of the task.

    Hausman et al. 2018 (ICLR, "Learning an Embedding Space for Transferable Robot Skills").
    Observations end with a one-hot vector of the task, as MultiEnvWrapper's do. The worker that
    plays an episode remembers its latent.

    Args:
        env_spec: its action space is a Box.
        encoder: gives the distribution over latents of each task; a GaussianMLPEncoder.
        **network: arguments of GaussianMLPPolicy.

    Raises:
        ValueError: if the action space is no Box, or observations leave no room for the task.
    """

    def __init__(self, env_spec: EnvSpec, encoder: GaussianMLPPolicy, **network: Any) -> None:
        super().__init__(env_spec)
        self.num_tasks = encoder.env_spec.observation_dim
        self.latent_dim = encoder.env_spec.action_dim
        self._seen_dim = env_spec.observation_dim - self.num_tasks
        if self._seen_dim < 1:
            raise ValueError(
                f"GaussianMLPTaskEmbeddingPolicy: observations must end with {self.num_tasks} "
                f"numbers for the task, got {env_spec.observation_dim} in all"
            )
        self.encoder = encoder
        width = self._seen_dim + self.latent_dim
        space = spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self.acting = GaussianMLPPolicy(EnvSpec(space, env_spec.action_space), **network)
        self._memory: np.ndarray | None = None

    def encode(self, tasks: tf.Tensor) -> DiagonalGaussian:
        """Return the distributions over latents of tasks, shape (N, T), one-hot."""
        return self.encoder(tasks)[0]

    def inputs(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return what a call takes: observations, the latent, and whether an episode begins."""
        begins = (episodes.step_types == StepType.FIRST).astype(np.float32)
        begins[episodes.ends - episodes.lengths] = _first_of_their_episode(episodes)
        latents = episodes.agent_infos["latent"].astype(np.float32, copy=False)
        return np.concatenate([self.flatten(episodes.observations), latents, begins[:, None]], 1)

    def __call__(self, observations: tf.Tensor) -> tuple[SkillDistribution, dict[str, tf.Tensor]]:
        """Return the distribution over actions and latents, for the rows of `inputs`."""
        parts = (self._seen_dim, self.num_tasks, self.latent_dim, 1)
        seen, tasks, latent, begins = tf.split(observations, parts, axis=1)
        actions, infos = self.acting(tf.concat([seen, latent], axis=1))
        return SkillDistribution(actions, self.encode(tasks), latent, begins[:, 0]), infos

    def actor(self) -> TaskLatentActor:
        """Return an actor that draws a latent when an episode begins."""
        told = self.encode(tf.eye(self.num_tasks))
        space = self._env_spec.observation_space
        means, stds = told.mean.numpy(), told.stddev.numpy()
        return TaskLatentActor(actor_of(self.acting), means, stds, space)

    def get_latent(self, task_id: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw a latent of a task; return it and the mean and log_std that it was drawn by.

        Args:
            task_id: shape (T,), one-hot.
        """
        told = self.encode(tf.constant(np.asarray(task_id, np.float32)[None]))
        infos = {"mean": told.mean.numpy()[0], "log_std": told.log_std.numpy()[0]}
        noise = self._rng.standard_normal(self.latent_dim)
        return infos["mean"] + np.exp(infos["log_std"]) * noise, infos

    def get_action_given_latent(
        self, observation: Any, latent: Any
    ) -> tuple[Any, dict[str, np.ndarray]]:
        """Return an action and its infos.

        Args:
            observation: of shape (O*,), with the task or without.
            latent: shape (Z,).
        """
        seen = np.asarray(observation, np.float32).reshape(-1)[: self._seen_dim]
        return self.acting.get_action(np.concatenate([seen, np.asarray(latent, np.float32)]))

    def get_action_given_task(
        self, observation: Any, task_id: Any
    ) -> tuple[Any, dict[str, np.ndarray]]:
        """Return an action on a latent drawn for this one step; see `get_latent`."""
        return self.get_action_given_latent(observation, self.get_latent(task_id)[0])


def _first_of_their_episode(episodes: EpisodeBatch) -> np.ndarray:
    """Tell which fragments begin an episode: not those that went on from the call before.

    An episode of one step has no step of type FIRST.
    """
    lengths = episodes.episode_infos_by_episode.get("EpisodeLength", episodes.lengths)
    whole: np.ndarray = np.asarray(lengths) == episodes.lengths
    return whole.astype(np.float32)
