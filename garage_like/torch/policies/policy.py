"""Policy: what all policies in torch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from garage_like import seeding
from garage_like.configuration.configured import Named
from garage_like.configuration.garage_arguments import also_called
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec, OfEnv
from garage_like.interfaces import Actor
from garage_like.np.observations import flatten_observations
from garage_like.sampler.framework_actor import actor_under


class Policy(Named, OfEnv, nn.Module):
    """Map observations to actions.

    A subclass implements `forward`, and may implement `actor`, which acts quicker and by the
    caller's random numbers; or it says how it acts by `get_action` or `get_actions`.

    Args:
        env_spec: of the environment to act in.
        name: what it is called; None for the name of its class.
    """

    def __init__(self, env_spec: EnvSpec, name: str | None = None) -> None:
        super().__init__()
        if name is not None:
            self._name = name
        self._env_spec = env_spec
        self._rng = seeding.stream("policy")

    @property
    def env_spec(self) -> EnvSpec:
        """The environment that this policy was made for."""
        return self._env_spec

    def actor(self) -> Actor:
        """Return what acts on the current weights, with noise from its caller's generator."""
        return self.forward_actor()

    def forward_actor(self) -> Actor:
        """Return what acts as `forward` says."""
        return ForwardActor(self)

    def flatten(self, observations: Any) -> torch.Tensor:
        """Turn observations of shape (N, O*) into what `forward` takes, shape (N, D)."""
        rows = flatten_observations(self._env_spec.observation_space, observations)
        parameter = next(self.parameters(), None)
        return torch.from_numpy(rows).to("cpu" if parameter is None else parameter.device)

    def inputs(self, episodes: EpisodeBatch) -> Any:
        """Return what `forward` takes for the S steps of a batch."""
        return self.flatten(episodes.observations)

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (O*,)."""
        actions, infos = self.get_actions(np.asarray(observation)[None])
        return actions[0], {key: value[0] for key, value in infos.items()}

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos, drawn from the policy's own generator."""
        return actor_under(self).act(observations, self._rng)

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Do nothing: this policy remembers nothing of an episode."""

    def get_param_values(self) -> np.ndarray:
        """Return a copy of all parameters as one vector, in the order of `parameters()`."""
        with torch.no_grad():
            return nn.utils.parameters_to_vector(self.parameters()).cpu().numpy().copy()

    @also_called(params="state_dict")
    def set_param_values(self, params: Any) -> None:
        """Replace all parameters by those of a vector, or of a state dict.

        Raises:
            ValueError: if the vector has another length than the policy has parameters.
        """
        if isinstance(params, Mapping):
            self.load_state_dict(params)
            return
        vector = np.asarray(params)
        expected = sum(parameter.numel() for parameter in self.parameters())
        if vector.shape != (expected,):
            raise ValueError(
                f"{type(self).__name__}.set_param_values: expected a vector of {expected} numbers "
                f"as get_param_values returns it, got shape {vector.shape}"
            )
        start = 0
        with torch.no_grad():
            for parameter in self.parameters():
                stop = start + parameter.numel()
                values = torch.from_numpy(np.ascontiguousarray(vector[start:stop]))
                parameter.copy_(values.view_as(parameter))
                start = stop


class ForwardActor:
    """Act as a policy's `forward` says: by actions, or by a distribution over them.

    Args:
        policy: its `forward` maps flat observations, shape (N, D), to actions, or to a distribution
            and infos.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and the infos; what tells a distribution's mode is among them."""
        with torch.no_grad():
            outcome = self._policy(self._policy.flatten(observations))
            if not isinstance(outcome, tuple):
                return self._rows(outcome), {}
            distribution, infos = outcome
            with torch.random.fork_rng(devices=[]):
                # torch draws from generators of its own alone; the seed is the caller's.
                torch.manual_seed(int(rng.integers(2**63)))
                actions = distribution.sample()
        infos = {key: value.cpu().numpy() for key, value in infos.items()}
        name = "logits" if isinstance(distribution, torch.distributions.Categorical) else "mean"
        value = getattr(distribution, name, None)
        if isinstance(value, torch.Tensor):
            infos.setdefault(name, value.cpu().numpy())
        return self._rows(actions), infos

    def _rows(self, actions: torch.Tensor) -> np.ndarray:
        shape = self._policy.env_spec.action_space.shape or ()
        rows: np.ndarray = actions.cpu().numpy()
        return rows.reshape(len(rows), *shape)


class TorchNetwork:
    """Let a NumPy actor call a torch module that has no NumPy form.

    Args:
        module: maps flat observations, shape (N, D), to outputs, shape (N, K).
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Map shape (N, D), float32, to shape (N, K), float32."""
        device = next(self._module.parameters()).device
        with torch.no_grad():
            outputs: np.ndarray = self._module(torch.from_numpy(rows).to(device)).cpu().numpy()
        return outputs
