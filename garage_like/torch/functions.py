"""Small functions on tensors that programs written for garage call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from garage_like.torch.devices import global_device


def np_to_torch(array: Any) -> torch.Tensor:
    """Return an array, or anything that NumPy makes one of, as float32 on `global_device()`."""
    return torch.as_tensor(np.asarray(array), dtype=torch.float32).to(global_device())


def torch_to_np(tensors: Sequence[torch.Tensor]) -> tuple[np.ndarray, ...]:
    """Return tensors as arrays."""
    return tuple(tensor.detach().cpu().numpy() for tensor in tensors)


def as_torch_dict(array_dict: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Turn the arrays of a dict into tensors, float32, on `global_device()`; return the dict."""
    array_dict.update({key: np_to_torch(value) for key, value in array_dict.items()})
    return array_dict


def as_torch(array: Any) -> torch.Tensor:
    """Return an array as float32 on `global_device()`."""
    return np_to_torch(array)


def flatten_batch(tensor: torch.Tensor) -> torch.Tensor:
    """Join the first two axes: shape (N, T, ...) becomes (N * T, ...)."""
    return tensor.reshape(-1, *tensor.shape[2:])


def flatten_to_single_vector(tensor: torch.Tensor) -> torch.Tensor:
    """Join all axes but the first and the last: shape (N, ..., K) becomes (N, M)."""
    return tensor.reshape(len(tensor), -1)


def filter_valids(tensor: torch.Tensor, valids: Sequence[int]) -> list[torch.Tensor]:
    """Cut padded episodes to their lengths.

    Args:
        tensor: shape (N, T, ...).
        valids: length of each of N episodes.
    """
    return [episode[:length] for episode, length in zip(tensor, valids, strict=True)]


def pad_to_last(nums: Any, total_length: int, axis: int = -1, val: float = 0) -> torch.Tensor:
    """Append a value along an axis until it has a length."""
    tensor = torch.as_tensor(np.asarray(nums) if not torch.is_tensor(nums) else nums)
    if not -tensor.ndim <= axis < tensor.ndim:
        raise IndexError(f"pad_to_last: there is no axis {axis} in shape {tuple(tensor.shape)}")
    shape = list(tensor.shape)
    shape[axis] = max(0, total_length - shape[axis])
    return torch.cat([tensor, torch.full(shape, val, dtype=tensor.dtype)], dim=axis)


def expand_var(name: str, item: Any, n_expected: int, reference: str) -> Any:
    """Repeat a value that stands for several; a sequence must have as many.

    Args:
        name: of the value, for the error.
        item: one value, or a sequence.
        n_expected: how many are wanted.
        reference: what their number is that of, for the error.
    """
    if n_expected == 1:
        return item if isinstance(item, list | tuple) and len(item) == 1 else [item]
    if isinstance(item, list | tuple):
        if len(item) == n_expected:
            return item
        if len(item) == 1:
            return list(item) * n_expected
        raise ValueError(f"{name} is of length {len(item)}, but {reference} of {n_expected}")
    return [item] * n_expected


def soft_update_model(target_model: Any, source_model: Any, tau: float) -> None:
    """Move the parameters of one module towards those of another, by a share of the way."""
    with torch.no_grad():
        pairs = zip(target_model.parameters(), source_model.parameters(), strict=True)
        for target, source in pairs:
            target.lerp_(source, tau)


def update_module_params(module: Any, new_params: Mapping[str, torch.Tensor]) -> None:
    """Put tensors in the place of a module's parameters, with the graph that they come from.

    Args:
        module: a torch module.
        new_params: by names as `named_parameters` has them.
    """
    modules = dict(module.named_modules())
    for name, tensor in new_params.items():
        owner, _, last = name.rpartition(".")
        # Assigned as an attribute, a tensor that is no Parameter would be refused.
        modules[owner]._parameters[last] = tensor


def state_dict_to(state_dict: dict[str, Any], device: Any) -> dict[str, Any]:
    """Move the tensors of a state dict, of dicts in it too, to a device; return it."""
    for key, value in state_dict.items():
        if torch.is_tensor(value):
            state_dict[key] = value.to(device)
        elif isinstance(value, dict):
            state_dict_to(value, device)
    return state_dict


def compute_advantages(
    discount: float,
    gae_lambda: float,
    max_episode_length: int,
    baselines: torch.Tensor,
    rewards: torch.Tensor,
) -> torch.Tensor:
    """Compute generalized advantage estimates of padded episodes (arXiv:1506.02438).

    Args:
        discount: factor for one env step.
        gae_lambda: 0 trusts the baseline, 1 the rewards.
        max_episode_length: T.
        baselines: shape (N, T), values of the observations.
        rewards: shape (N, T).

    Returns:
        Shape (N, T).
    """
    following = torch.cat([baselines[:, 1:], torch.zeros_like(baselines[:, :1])], dim=1)
    advantages = rewards + discount * following - baselines
    for step in range(max_episode_length - 2, -1, -1):
        advantages[:, step] += discount * gae_lambda * advantages[:, step + 1]
    return advantages


def product_of_gaussians(mus: torch.Tensor, sigmas_squared: torch.Tensor) -> tuple[Any, Any]:
    """Return mean and variance of the product of normal densities, over the first axis."""
    precision = (1.0 / sigmas_squared.clamp(min=1e-7)).sum(dim=0)
    variance = 1.0 / precision
    return variance * (mus / sigmas_squared.clamp(min=1e-7)).sum(dim=0), variance


class _Default:
    """A value that an argument has unless a pair says another: garage's programs mark it so."""

    def __init__(self, val: Any) -> None:
        self.val = val


def make_optimizer(optimizer_type: Any, module: Any = None, **kwargs: Any) -> Any:
    """Make an optimizer of a class, or of a pair of it and its keyword arguments.

    Args:
        optimizer_type: the class or the pair.
        module: whose parameters it moves; None for an optimizer that asks for none.
        **kwargs: keyword arguments, such as `lr`; only with a class alone.

    Raises:
        ValueError: if arguments come twice.
    """
    options = {k: v.val if isinstance(v, _Default) else v for k, v in kwargs.items()}
    if isinstance(optimizer_type, tuple):
        optimizer_type, inner = optimizer_type
        given = [k for k, v in kwargs.items() if v is not None and not isinstance(v, _Default)]
        if given:
            raise ValueError(
                f"make_optimizer: {', '.join(given)} is in the pair or nowhere; it came as an"
                " argument of its own beside one"
            )
        options = inner
    if module is None:
        return optimizer_type(**options)
    made: torch.optim.Optimizer = optimizer_type(module.parameters(), **options)
    return made


def output_height_2d(layer: Any, height: int) -> int:
    """Return what height a convolution or pooling leaves of a height."""
    return _left(layer, height, 0)


def output_width_2d(layer: Any, width: int) -> int:
    """Return what width a convolution or pooling leaves of a width."""
    return _left(layer, width, 1)


def _left(layer: Any, length: int, axis: int) -> int:
    padding, dilation, window, stride = (
        value[axis] if isinstance(value, tuple) else value
        for value in (layer.padding, layer.dilation, layer.kernel_size, layer.stride)
    )
    return int((length + 2 * padding - dilation * (window - 1) - 1) // stride + 1)
