"""Policy: what all policies in TensorFlow have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from garage_like import seeding
from garage_like.configuration.extension_points import ExtensionPoints
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec, OfEnv
from garage_like.interfaces import Actor
from garage_like.np.actors import sample_categorical
from garage_like.np.observations import flatten_observations
from garage_like.sampler.framework_actor import actor_under
from garage_like.tf.distributions import Categorical, DiagonalGaussian
from garage_like.tf.modules.module import Module
from garage_like.tf.quiet_import import tf
from garage_like.tf.traced import traces_of


class Policy(Module, OfEnv, ExtensionPoints):
    """Map observations to actions.

    A subclass implements `__call__`, and may implement `actor`, which acts quicker; or it says how
    it acts by `get_action` or `get_actions`.

    Args:
        env_spec: of the environment to act in.
        name: what it is called; None for the name of its class.
    """

    REPLACED: ClassVar[Mapping[str, str]] = {
        "build": "__call__(observations)",
        "_build": "__call__(observations)",
        "_initialize": "__init__",
    }

    def __init__(self, env_spec: EnvSpec, name: str | None = None) -> None:
        if name is not None:
            self._name = name
        self._env_spec = env_spec
        self._rng = seeding.stream("policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment that this policy was made for."""
        return self._env_spec

    def __call__(self, observations: tf.Tensor) -> Any:
        """Return what an update needs to know, for flat observations, shape (N, D)."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__")

    def actor(self) -> Actor:
        """Return what acts on the current weights, with noise from its caller's generator."""
        return self.forward_actor()

    @property
    def input_dim(self) -> int:
        """Numbers of a flat observation."""
        return self._env_spec.observation_dim

    def forward_actor(self) -> Actor:
        """Return what acts as a call says."""
        return CallActor(self)

    def inputs(self, episodes: EpisodeBatch) -> Any:
        """Return what a call takes for the S steps of a batch: an array, or a tuple of them."""
        return self.flatten(episodes.observations)

    def flatten(self, observations: Any) -> np.ndarray:
        """Turn observations of shape (N, O*) into what a call takes, shape (N, D), float32."""
        return flatten_observations(self._env_spec.observation_space, observations)

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, drawn from the policy's own generator."""
        return actor_under(self).act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: this policy remembers nothing of an episode."""


class CallActor:
    """Act as a policy's `__call__` says: by actions, or by a distribution over them.

    Args:
        policy: maps flat observations, shape (N, D), to actions, or to a distribution and infos.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and infos, as the actors of such distributions do.

        Raises:
            TypeError: if the distribution is none of this framework's.
        """
        outcome = self._policy(tf.constant(self._policy.flatten(observations)))
        distribution, more = outcome if isinstance(outcome, tuple) else (None, {})
        if distribution is None:
            actions = outcome.numpy()
            infos: dict[str, np.ndarray] = {}
        elif isinstance(distribution, Categorical):
            infos = {"logits": distribution.logits.numpy()}
            actions = sample_categorical(infos["logits"], rng)
        elif isinstance(distribution, DiagonalGaussian):
            mean, log_std = distribution.mean.numpy(), distribution.log_std.numpy()
            infos = {"mean": mean, "log_std": log_std}
            actions = mean + np.exp(log_std) * rng.standard_normal(mean.shape, np.float32)
        else:
            raise TypeError(
                f"{type(self._policy).__name__} must implement actor: nothing is known of how to"
                f" draw from {type(distribution).__name__}"
            )
        shape = self._policy.env_spec.action_space.shape or ()
        infos.update({key: np.asarray(value) for key, value in more.items()})
        return actions.reshape(len(actions), *shape), infos


class TFNetwork:
    """Let a NumPy actor call a network that has no NumPy form.

    Args:
        network: maps flat observations, shape (N, D), to outputs, shape (N, K).
    """

    def __init__(self, network: Callable[[tf.Tensor], tf.Tensor]) -> None:
        self._network = network

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Map shape (N, D), float32, to shape (N, K), float32."""
        # The trace stays with the network: an actor lives no longer than a batch is collected.
        outputs = traces_of(self._network).run("outputs", self._network, (rows,))
        array: np.ndarray = outputs.numpy()
        return array
