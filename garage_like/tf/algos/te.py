"""TENPO and TEPPO: learn several tasks by way of an embedding of skills."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Unpack

import gymnasium
import numpy as np

from garage_like.algos.on_policy import METRICS, OnPolicyBatch
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec, InOutSpec
from garage_like.interfaces import Baseline, Metrics, Sampler
from garage_like.sampler.default_worker import DefaultWorker as TaskEmbeddingWorker
from garage_like.tf.algos.npo import NPO
from garage_like.tf.algos.ppo import PPO
from garage_like.tf.algos.vpg import VPG, VPGKeywords
from garage_like.tf.embeddings.gaussian_mlp_encoder import GaussianMLPEncoder
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.described import described_optimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.policies.gaussian_mlp_task_embedding_policy import (
    GaussianMLPTaskEmbeddingPolicy,
)
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traced

# Any worker remembers latents, as it does memories; the name is garage's.
__all__ = ["TENPO", "TEPPO", "TaskEmbeddingWorker"]

_METRICS = {
    "Inference/CrossEntropy": "Mean of -log q(latent | what was seen), before the fit, in nats.",
    "Encoder/Entropy": "Mean entropy of the latents of tasks after the update, in nats.",
}


class TaskEmbedding(VPG):
    """Make latents tell in what is seen, and keep them spread out; see TENPO."""

    policy: GaussianMLPTaskEmbeddingPolicy

    METRICS = {**METRICS, **_METRICS}

    def learn_embedding(
        self,
        inference: GaussianMLPEncoder,
        encoder_ent_coeff: float,
        inference_ce_coeff: float,
        inference_optimizer: Any,
        inference_optimizer_args: Mapping[str, Any] | None,
    ) -> None:
        """Take note of what is learned beside the policy; called by constructors."""
        owner, policy = type(self).__name__, self.policy
        if not isinstance(policy, GaussianMLPTaskEmbeddingPolicy):
            raise TypeError(
                f"{owner}: policy must be a GaussianMLPTaskEmbeddingPolicy, got {policy!r}"
            )
        seen = policy.env_spec.observation_dim - policy.num_tasks
        self._window, rest = divmod(inference.env_spec.observation_dim, seen)
        if rest or inference.env_spec.action_dim != policy.latent_dim:
            raise ValueError(
                f"{owner}: inference must map windows of observations, {seen} numbers each, to "
                f"{policy.latent_dim} numbers; make it with {owner}.get_infer_spec"
            )
        self.inference = inference
        self._encoder_ent_coeff = encoder_ent_coeff
        self._inference_ce_coeff = inference_ce_coeff
        default = OptimizerWrapper((Adam, {"lr": 1e-3}), inference, 10, 64)
        self._inference_optimizer = default
        if inference_optimizer is not None or inference_optimizer_args:
            self._inference_optimizer = described_optimizer(
                owner, inference, inference_optimizer, inference_optimizer_args, default, None
            )

    @staticmethod
    def get_encoder_spec(task_space: gymnasium.Space, latent_dim: int) -> InOutSpec:
        """Return what the encoder maps tasks to latents by.

        Args:
            task_space: of one-hot vectors, `MultiEnvWrapper.task_space`.
            latent_dim: numbers of a latent.
        """
        return InOutSpec(task_space, _numbers(latent_dim))

    @staticmethod
    def get_infer_spec(
        env_spec: EnvSpec, latent_dim: int, inference_window_size: int, num_tasks: int = 0
    ) -> InOutSpec:
        """Return what the inference network maps windows of observations to latents by.

        Args:
            env_spec: of an environment.
            latent_dim: numbers of a latent.
            inference_window_size: env steps of a window.
            num_tasks: numbers of the task that its observations end with: these are not seen.
        """
        seen = env_spec.observation_dim - num_tasks
        return InOutSpec(_numbers(seen * inference_window_size), _numbers(latent_dim))

    def _learning_batch(
        self, episodes: EpisodeBatch, values: np.ndarray, last_values: np.ndarray
    ) -> OnPolicyBatch:
        windows = self._windows(episodes)
        latents = episodes.agent_infos["latent"].astype(np.float32, copy=False)
        known = self._log_likelihood(windows, latents).numpy()
        self._told = {"Inference/CrossEntropy": -float(known.mean(dtype=np.float64))}
        self._inference_optimizer.minimize(self._inference_loss, windows, latents)
        rewards = episodes.rewards + self._inference_ce_coeff * known
        told = dataclasses.replace(episodes, rewards=rewards)
        return super()._learning_batch(told, values, last_values)

    def _update(self, batch: OnPolicyBatch) -> Metrics:
        metrics = super()._update(batch)
        entropies = self.policy.encode(tf.eye(self.policy.num_tasks)).entropy()
        self._told["Encoder/Entropy"] = float(tf.reduce_mean(entropies))
        return {**metrics, **self._told}

    def _loss(
        self,
        observations: tf.Tensor,
        actions: tf.Tensor,
        advantages: tf.Tensor,
        old_log_probs: tf.Tensor,
    ) -> tf.Tensor:
        """Compute what the base does, less the weighted entropy of the latents of all tasks."""
        loss = super()._loss(observations, actions, advantages, old_log_probs)
        entropies = self.policy.encode(tf.eye(self.policy.num_tasks)).entropy()
        return loss - self._encoder_ent_coeff * tf.reduce_mean(entropies)

    @traced
    def _log_likelihood(self, windows: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
        """Return log q(z | window), shape (S,)."""
        return self.inference(windows)[0].log_prob(latents)

    def _inference_loss(self, windows: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(self.inference(windows)[0].log_prob(latents))

    def _windows(self, episodes: EpisodeBatch) -> np.ndarray:
        """Return what was seen up to each env step, shape (S, W * D): zeros before an episode."""
        rows = self.policy.flatten(episodes.observations)[:, : -self.policy.num_tasks]
        padded = np.zeros((len(rows), self._window, rows.shape[1]), np.float32)
        age = np.arange(len(rows)) - np.repeat(episodes.ends - episodes.lengths, episodes.lengths)
        for back in range(self._window):
            there = np.flatnonzero(age >= back)
            padded[there, -1 - back] = rows[there - back]
        return padded.reshape(len(rows), -1)


class TENPO(TaskEmbedding, NPO):
    """Learn several tasks by a policy that acts on latents of them, which tell in what it does.

    Hausman et al. 2018 (ICLR, "Learning an Embedding Space for Transferable Robot Skills"),
    equation 4. Beside its reward r an env step earns what it tells of the latent z to an inference
    network q, and latents are kept spread out:

        r' = r + c_q log q(z | s_H),        objective + c_e H[p(z | task)].

    Differs from the paper: q sees the last observations, not actions.

    Args:
        policy: what is trained; a GaussianMLPTaskEmbeddingPolicy.
        inference: maps windows of observations to latents; see `get_infer_spec`.
        encoder_ent_coeff: c_e, weight of the entropy of latents.
        inference_ce_coeff: c_q, weight of how well latents are inferred.
        inference_optimizer: a class of `garage_like.tf.optimizers`; None for Adam.
        inference_optimizer_args: its keyword arguments, passes and rows of a minibatch.
        **options: arguments of NPO.

    Raises:
        ValueError: if an argument is out of range, or the inference network does not fit.
        TypeError: if the policy, the baseline or an optimizer is of the wrong kind.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: GaussianMLPTaskEmbeddingPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        *,
        inference: GaussianMLPEncoder,
        encoder_ent_coeff: float = 0.0,
        inference_ce_coeff: float = 0.0,
        inference_optimizer: Any = None,
        inference_optimizer_args: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        NPO.__init__(self, env_spec, policy, baseline, sampler, **_regularized(options))
        coefficients = (encoder_ent_coeff, inference_ce_coeff)
        self.learn_embedding(
            inference, *coefficients, inference_optimizer, inference_optimizer_args
        )


class _PPOKeywords(VPGKeywords, total=False):
    policy_optimizer: OptimizerWrapper | None
    vf_optimizer: Any
    lr_clip_range: float
    gae_lambda: float


class TEPPO(TaskEmbedding, PPO):
    """Do what TENPO does by PPO's clipped objective, in many gradient steps on a batch.

    Hausman et al. 2018 (ICLR); Schulman et al. 2017, arXiv:1707.06347.

    Args:
        policy: what is trained; a GaussianMLPTaskEmbeddingPolicy.
        inference: maps windows of observations to latents; see `get_infer_spec`.
        encoder_ent_coeff: weight of the entropy of latents.
        inference_ce_coeff: weight of how well latents are inferred.
        inference_optimizer: a class of `garage_like.tf.optimizers`; None for Adam.
        inference_optimizer_args: its keyword arguments, passes and rows of a minibatch.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: GaussianMLPTaskEmbeddingPolicy,
        baseline: Baseline,
        sampler: Sampler | None = None,
        *,
        inference: GaussianMLPEncoder,
        encoder_ent_coeff: float = 1e-3,
        inference_ce_coeff: float = 1e-3,
        inference_optimizer: Any = None,
        inference_optimizer_args: Mapping[str, Any] | None = None,
        **options: Unpack[_PPOKeywords],
    ) -> None:
        PPO.__init__(self, env_spec, policy, baseline, sampler, **_regularized(options))
        coefficients = (encoder_ent_coeff, inference_ce_coeff)
        self.learn_embedding(
            inference, *coefficients, inference_optimizer, inference_optimizer_args
        )


def _regularized(options: Any) -> Any:
    """Return options in which a weight of the entropy is one in the objective, unless they say."""
    if options.get("policy_ent_coeff"):
        return {"entropy_method": "regularized", **options}
    return options


def _numbers(count: int) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(-np.inf, np.inf, (count,), np.float32)
