"""Multi-layer perceptrons as policies: an algorithm in JAX trains them, NumPy acts.

Nothing here imports JAX: a policy that was saved can be loaded and asked where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from garage_like import seeding
from garage_like.configuration.configured import Configured
from garage_like.data.env_spec import EnvSpec
from garage_like.interfaces import Actor
from garage_like.np.actors import CategoricalActor, DeterministicActor, GaussianActor
from garage_like.np.bounded_actions import TanhGaussianActor, action_range
from garage_like.np.mlp import ACTIVATIONS, MLP, layer_sizes

Params = Mapping[str, Any]
"""Of a network: `{'Dense_0': {'kernel': …, 'bias': …}, …}`, as flax names them."""


class MLPPolicy(Configured):
    """Hold the weights of a perceptron, of one run or of many trained together.

    Args:
        env_spec: of the environment to act in.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: `tanh` or `relu`.

    Attributes:
        params: weights; an algorithm in JAX sets them. With many seeds each array has one more
            axis in front.
        seed_index: of many seeds, the one that acts; None if there is but one.
    """

    num_outputs_per_action = 1

    def __init__(
        self,
        env_spec: EnvSpec,
        hidden_sizes: Sequence[int] = (64, 64),
        hidden_nonlinearity: str = "tanh",
    ) -> None:
        if hidden_nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"{type(self).__name__}: hidden_nonlinearity must be 'tanh' or 'relu', got"
                f" {hidden_nonlinearity!r}"
            )
        self._env_spec = env_spec
        outputs = self.num_outputs_per_action * env_spec.action_dim
        self.sizes = layer_sizes(env_spec.observation_dim, hidden_sizes, outputs)
        self.hidden_nonlinearity = hidden_nonlinearity
        self.params: Params = {}
        self.seed_index: int | None = None
        self._rng = seeding.stream("policy")
        self._acting: tuple[Params, int | None, Actor] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the actor, which is made again from the weights."""
        return {**vars(self), "_acting": None}

    @property
    def env_spec(self) -> EnvSpec:
        """The environment that this policy was made for."""
        return self._env_spec

    def settings(self) -> dict[str, Any]:
        """Return what training does not change."""
        trained = {"params", "seed_index", "_rng", "_acting"}
        return {name: value for name, value in vars(self).items() if name not in trained}

    def actor(self) -> Actor:
        """Return what acts on the weights as they are now, with its caller's generator."""
        raise NotImplementedError(f"{type(self).__name__} must implement actor")

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, drawn from the policy's own generator."""
        acting = self._acting
        if acting is None or acting[0] is not self.params or acting[1] != self.seed_index:
            acting = self._acting = self.params, self.seed_index, self.actor()
        return acting[2].act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: this policy remembers nothing of an episode."""

    def get_param_values(self) -> dict[str, Any]:
        """Return a copy of the weights that act, as NumPy arrays."""
        return {
            name: {key: np.array(self._own(part)) for key, part in layer.items()}
            if isinstance(layer, Mapping)
            else np.array(self._own(layer))
            for name, layer in self.params.items()
        }

    def set_param_values(self, params: Params) -> None:
        """Replace the weights; what an algorithm trains is not changed by it."""
        self.params, self.seed_index = dict(params), None

    def _own(self, weights: Any) -> np.ndarray:
        """Return weights as NumPy's, those of the seed that acts; copies, since JAX reuses them."""
        if not hasattr(weights, "shape"):
            raise RuntimeError(f"{type(self).__name__}: its weights are being trained")
        array = np.array(weights)
        return array if self.seed_index is None else array[self.seed_index]

    def _network(self) -> MLP:
        if not self.params:
            raise RuntimeError(f"{type(self).__name__} has no weights: an algorithm makes them")
        layers = [
            (self._own(layer["kernel"]), self._own(layer["bias"]))
            for layer in (self.params[f"Dense_{i}"] for i in range(len(self.sizes) - 1))
        ]
        return MLP(layers, ACTIVATIONS[self.hidden_nonlinearity])


class CategoricalMLPPolicy(MLPPolicy):
    """Choose among K actions; the perceptron gives their logits."""

    def actor(self) -> Actor:
        return CategoricalActor(self._network(), self._env_spec.observation_space)


class GaussianMLPPolicy(MLPPolicy):
    """Draw continuous actions around the perceptron's output, each with a learned deviation."""

    def actor(self) -> Actor:
        return GaussianActor(
            self._network(),
            self._own(self.params["log_std"]),
            self._env_spec.observation_space,
            self._env_spec.action_space.shape or (),
        )


class DiscreteQFArgmaxPolicy(MLPPolicy):
    """Take the action of the largest value; the perceptron gives the values."""

    def actor(self) -> Actor:
        return DeterministicActor(self._network(), self._env_spec.observation_space, None)


LOG_STD_RANGE = (-20.0, 2.0)


class TanhGaussianMLPPolicy(MLPPolicy):
    """Squash normally distributed numbers into the bounds of the action space.

    The perceptron gives both means and logarithms of standard deviations, before squashing.
    """

    num_outputs_per_action = 2

    def actor(self) -> Actor:
        return TanhGaussianActor(
            self._network(),
            self._env_spec.observation_space,
            self._env_spec.action_space.shape or (),
            *action_range(self._env_spec.action_space),
            LOG_STD_RANGE,
        )
