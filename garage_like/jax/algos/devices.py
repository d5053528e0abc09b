"""Environments spread over devices: the same program everywhere, weights on each."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "devices"
_SPREAD = ("env_state", "observation", "episode")


def check_devices(owner: str, num_devices: int, num_envs: int) -> None:
    """Raise unless environments can be spread over that many devices of this process."""
    if isinstance(num_devices, bool) or not isinstance(num_devices, int) or num_devices < 1:
        raise ValueError(f"{owner}: num_devices must be a positive integer, got {num_devices!r}")
    if num_envs % num_devices:
        raise ValueError(
            f"{owner}: num_devices={num_devices} must divide num_envs={num_envs}: each device has"
            " as many environments"
        )
    if num_devices > 1 and num_devices > jax.device_count():
        raise ValueError(
            f"{owner}: num_devices={num_devices}, but JAX sees {jax.device_count()} here. Go on"
            " with fewer (config_policy='update', or resume --set algo.num_devices=…), which"
            " changes bits; XLA_FLAGS=--xla_force_host_platform_device_count=8 simulates eight"
        )


def placed(learner: Any, num_devices: int, axis: int) -> Any:
    """Return a learner whose environments lie on so many devices; those that do already stay.

    Args:
        learner: a `Learner`.
        num_devices: 1 leaves it where it is.
        axis: which one counts the environments.
    """
    if num_devices == 1:
        on_many = [x for x in jax.tree.leaves(learner) if len(x.sharding.device_set) > 1]
        return jax.device_put(learner, jax.devices()[0]) if on_many else learner
    mesh = Mesh(np.array(jax.devices()[:num_devices]), (_AXIS,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    spread = NamedSharding(mesh, PartitionSpec(*[None] * axis, _AXIS))
    # Of each slot of the replay memory, every device has what its own environments went through.
    slots = NamedSharding(mesh, PartitionSpec(*[None] * (axis + 1), _AXIS))
    where = dict.fromkeys(learner._fields, everywhere)
    where |= dict.fromkeys(_SPREAD, spread) | {"memory": slots}
    return learner._replace(
        **{name: jax.device_put(getattr(learner, name), place) for name, place in where.items()}
    )


def places_of(learner: Any) -> Any:
    """Return where each array of a learner lies."""
    return jax.tree.map(lambda x: x.sharding, learner)
