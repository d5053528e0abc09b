"""AddOrnsteinUhlenbeckNoise: shake actions by noise that drifts, so that it adds up over time."""

from __future__ import annotations

import math

import numpy as np
from gymnasium import spaces

from garage_like.configuration.garage_arguments import also_called
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Actor, Policy
from garage_like.np.exploration_policies.add_gaussian_noise import check_box
from garage_like.np.exploration_policies.exploration_policy import ExplorationPolicy
from garage_like.sampler.framework_actor import ActorAround


class AddOrnsteinUhlenbeckNoise(ExplorationPolicy):
    """Add x to another policy's actions, where dx = theta (mu - x) dt + sigma dW.

    Uhlenbeck & Ornstein 1930, as Lillicrap et al. 2016 (arXiv:1509.02971) explore with. The noise
    goes on from call to call and starts over with an episode. Several workers that share a policy
    share the noise of equal columns: give each worker a policy where that matters.

    Args:
        env_spec: its action space is a Box.
        mu: what the noise is drawn back to.
        sigma: how strongly it is shaken, in the units of the actions.
        theta: how strongly it is drawn back.
        dt: time of one env step.
        x0: what it begins with; None for 0.

    Raises:
        ValueError: if actions are discrete, or sigma, theta or dt are out of range.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        *,
        mu: float = 0.0,
        sigma: float = 0.3,
        theta: float = 0.15,
        dt: float = 1e-2,
        x0: float | np.ndarray | None = None,
        name: str | None = None,
    ) -> None:
        check_box("AddOrnsteinUhlenbeckNoise", env_spec)
        for name, value in (("sigma", sigma), ("theta", theta), ("dt", dt)):
            if not 0.0 <= value < math.inf or (name == "dt" and value == 0.0):
                raise ValueError(f"AddOrnsteinUhlenbeckNoise: {name}={value!r} is out of range")
        super().__init__(env_spec, policy)
        self._mu = mu
        self._sigma = sigma
        self._theta = theta
        self._dt = dt
        space = env_spec.action_space
        assert isinstance(space, spaces.Box)
        self._x0 = np.broadcast_to(np.asarray(0.0 if x0 is None else x0), space.shape).copy()
        self._noise = self._x0[None].copy()

    def metrics(self) -> dict[str, float]:
        """Return `Exploration/Noise`, the standard deviation that the noise tends to."""
        if not self._theta:
            return {"Exploration/Noise": math.inf if self._sigma else 0.0}
        return {"Exploration/Noise": self._sigma / math.sqrt(2.0 * self._theta)}

    @also_called(do_resets="dones")
    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Begin a new episode where told to: the noise is x0 again."""
        super().reset(do_resets)
        if do_resets is not None:
            self._grow_to(len(do_resets))
        self._noise[slice(None) if do_resets is None else do_resets] = self._x0

    def next_noise(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Move the noise on by one env step; return it, shape (rows, A*)."""
        self._grow_to(rows)
        noise = self._noise[:rows]
        noise += self._theta * (self._mu - noise) * self._dt
        noise += self._sigma * math.sqrt(self._dt) * rng.standard_normal(noise.shape)
        return noise

    def _grow_to(self, rows: int) -> None:
        missing = rows - len(self._noise)
        if missing > 0:
            fresh = np.repeat(self._x0[None], missing, axis=0)
            self._noise = np.concatenate([self._noise, fresh])

    def _explorer(self, actor: Actor) -> Actor:
        return OrnsteinUhlenbeckActor(actor, self)


class OrnsteinUhlenbeckActor(ActorAround):
    """Add a policy's noise to another actor's actions.

    Args:
        actor: the other one.
        policy: keeps the noise.
    """

    def __init__(self, actor: Actor, policy: AddOrnsteinUhlenbeckNoise) -> None:
        super().__init__(actor)
        self._policy = policy

    def instead(
        self, actions: np.ndarray, infos: dict[str, np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """Return the actions and noise, shape (N, A*), within the action space."""
        space = self._policy.env_spec.action_space
        noisy = actions + self._policy.next_noise(len(actions), rng)
        return np.clip(noisy, space.low, space.high).astype(actions.dtype)  # type: ignore[attr-defined]
