"""LatentActor: act on a guess at the task, which is drawn when an episode begins."""

from __future__ import annotations

import gymnasium
import numpy as np

from garage_like.interfaces import Actor
from garage_like.np.observations import flatten_observations


class LatentActor:
    """Append a latent to observations, drawn again for each episode, and let another actor act.

    The guess is the caller's to remember, as the memory of a recurrent policy is: a row holds
    whether the episode has begun, and the latent. So nothing in the policy changes while it acts.

    Args:
        actor: acts on flat observations with the latent behind them.
        mean: shape (Z,), of the normal distribution that latents are drawn from.
        std: shape (Z,), its standard deviations.
        observation_space: what observations are flattened by.
    """

    def __init__(
        self, actor: Actor, mean: np.ndarray, std: np.ndarray, observation_space: gymnasium.Space
    ) -> None:
        self._actor = actor
        self._mean = mean
        self._std = std
        self._space = observation_space
        self._memory: np.ndarray | None = None
        self.memory_dim = 1 + mean.shape[-1]

    def remember(self, memory: np.ndarray) -> None:
        """Act on `memory`, shape (N, memory_dim), float32, from now on, and rewrite it in place."""
        self._memory = memory

    def note(self, actions: np.ndarray) -> None:
        """Do nothing: which actions were taken is not remembered."""

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions for observations of shape (N, O*); draw latents for new episodes.

        Raises:
            RuntimeError: if there is no memory.
        """
        memory = self._memory
        if memory is None:
            raise RuntimeError(
                "this actor remembers a latent for each environment; call remember(np.zeros("
                "(n_envs, actor.memory_dim), np.float32)) first, or use policy.get_actions"
            )
        rows = flatten_observations(self._space, observations)
        begins = memory[:, 0] == 0.0
        if begins.any():
            mean, std = self._belief(rows[begins])
            noise = rng.standard_normal((int(begins.sum()), memory.shape[1] - 1), np.float32)
            memory[begins, 1:] = mean + std * noise
            memory[:, 0] = 1.0
        return self._act(rows, memory[:, 1:], rng)

    def _belief(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation of the latents of episodes that begin with some rows."""
        return self._mean, self._std

    def _act(
        self, rows: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self._actor.act(np.concatenate([rows, latents], axis=1), rng)


class TaskLatentActor(LatentActor):
    """Draw an episode's latent by its task, which observations end with; act without seeing that.

    Args:
        actor: acts on flat observations with the latent in place of the task.
        means: shape (T, Z), of the normal distributions that latents of each task are drawn from.
        stds: shape (T, Z), their standard deviations.
        observation_space: what observations are flattened by.
    """

    def _belief(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tasks = rows[:, -len(self._mean) :].argmax(axis=1)
        return self._mean[tasks], self._std[tasks]

    def _act(
        self, rows: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        seen, tasks = np.split(rows, [-len(self._mean)], axis=1)
        actions, infos = self._actor.act(np.concatenate([seen, latents], axis=1), rng)
        # Views of what the caller writes on into.
        return actions, {**infos, "latent": latents.copy(), "task": tasks.copy()}
