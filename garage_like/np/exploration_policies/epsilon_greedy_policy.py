"""EpsilonGreedyPolicy: take a random action with a probability that falls."""

from __future__ import annotations

import numpy as np

from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Actor, Policy
from garage_like.np.exploration_policies.exploration_policy import ExplorationPolicy, decay
from garage_like.sampler.framework_actor import ActorAround


class EpsilonGreedyPolicy(ExplorationPolicy):
    """Take any action with probability epsilon, else the one that another policy takes.

    Args:
        env_spec: its action space is Discrete.
        total_timesteps: env steps of the whole run.
        max_epsilon: at the start.
        min_epsilon: when it has fallen.
        decay_ratio: part of the run in which it falls, linearly.

    Raises:
        ValueError: if actions are not discrete, or a number is out of range.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        *,
        total_timesteps: int,
        max_epsilon: float = 1.0,
        min_epsilon: float = 0.02,
        decay_ratio: float = 0.1,
        name: str | None = None,
    ) -> None:
        if not env_spec.is_discrete:
            raise ValueError(
                f"EpsilonGreedyPolicy needs a Discrete action space, got {env_spec.action_space!r};"
                " for a Box there are AddGaussianNoise and AddOrnsteinUhlenbeckNoise"
            )
        if not max_epsilon <= 1.0:
            raise ValueError(
                f"EpsilonGreedyPolicy: max_epsilon is a probability, got {max_epsilon!r}"
            )
        super().__init__(env_spec, policy)
        self._schedule = decay(
            "EpsilonGreedyPolicy", "epsilon", max_epsilon, min_epsilon, total_timesteps, decay_ratio
        )

    @property
    def epsilon(self) -> float:
        """Probability of a random action now."""
        return self._schedule.value(self._env_steps)

    def metrics(self) -> dict[str, float]:
        """Return `Exploration/Epsilon`."""
        return {"Exploration/Epsilon": self.epsilon}

    def _explorer(self, actor: Actor) -> Actor:
        space = self._env_spec.action_space
        return EpsilonGreedyActor(actor, self.epsilon, int(space.n), int(space.start))  # type: ignore[attr-defined]


class EpsilonGreedyActor(ActorAround):
    """Take any action with probability epsilon, else that of another actor.

    Args:
        actor: the other one.
        epsilon: the probability.
        n_actions: how many there are.
        first_action: the least of them.
    """

    def __init__(self, actor: Actor, epsilon: float, n_actions: int, first_action: int = 0) -> None:
        super().__init__(actor)
        self._epsilon = epsilon
        self._n_actions = n_actions
        self._first_action = first_action

    def instead(
        self, actions: np.ndarray, infos: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        count = len(actions)
        # One draw says both whether to explore and where to: it is uniform below epsilon too.
        if count == 1:
            draw = rng.random()
            if draw < self._epsilon:
                random_action = int(draw * (self._n_actions / self._epsilon))
                action = min(random_action, self._n_actions - 1) + self._first_action
                actions = np.array([action])
            return actions
        draws = rng.random(count)
        explores = draws < self._epsilon
        if explores.any():
            random = (draws[explores] * (self._n_actions / self._epsilon)).astype(np.int64)
            actions = actions.copy()
            actions[explores] = np.minimum(random, self._n_actions - 1) + self._first_action
        return actions
