"""torch's modules, optimizers and generators: what is saved of them, and what they are made of.

Imported only where torch is loaded already.
"""

from __future__ import annotations

import functools
import weakref
import zlib
from collections import OrderedDict
from typing import Any

import torch

from garage_like.snapshot.kinds.attributes import NEW_OBJECT, Part, labelled
from garage_like.snapshot.kinds.devices import device_for
from garage_like.snapshot.kinds.torch_arrays import is_here, tensor_bytes

_NOT_SHOWN = ("param_groups", "state", "defaults")  # by number, by number, touched by torch itself


def reduce_optimizer(optimizer: torch.optim.Optimizer) -> Any:
    """Return how pickle saves an optimizer: all of its attributes, not just three of them."""
    cls = type(optimizer)
    if cls.__getstate__ is not torch.optim.Optimizer.__getstate__:
        return NotImplemented
    state = optimizer_state(optimizer)
    if len(state) == len(vars(optimizer)):
        return NEW_OBJECT, (cls,), state
    return NEW_OBJECT, (cls,), state, None, None, set_watched_optimizer_state


def set_watched_optimizer_state(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Give a bare optimizer its attributes, and the `step` that a scheduler of rates looks for."""
    vars(optimizer).update(state)
    known = weakref.ref(optimizer)

    @functools.wraps(type(optimizer).step)
    def step(*args: Any, **kwargs: Any) -> Any:
        watched: Any = known()
        watched._opt_called = True
        return type(watched).step(watched, *args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    vars(optimizer)["step"] = step


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an optimizer's attributes, but for the `step` that a scheduler of rates watches."""
    state = dict(vars(optimizer))
    if hasattr(state.get("step"), "_wrapped_by_lr_sched"):
        del state["step"]
    return state


def pickles_its_attributes(cls: type[torch.nn.Module]) -> bool:
    """Tell whether modules of a class leave to torch and pickle how they are pickled."""
    return (
        cls.__getstate__ is torch.nn.Module.__getstate__
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
        and cls.__setstate__ is torch.nn.Module.__setstate__
    )


def reduce_module(module: torch.nn.Module) -> Any:
    """Return how pickle saves a module: without its dozen empty dicts, in a third of the time.

    But for those that a handle of a hook knows, to take the hook out again.
    """
    state: dict[str, Any] = module.__getstate__()
    if tuple(state)[: len(_NEW_MODULE)] != _NEW_MODULE:
        return NotImplemented
    told = {
        name: value
        for name, value in state.items()
        if type(value) is not OrderedDict
        or value
        or value.__dict__
        or weakref.getweakrefcount(value)
    }
    compiled = vars(module).get("_compiled_call_impl")
    if compiled is not None:  # in place, by `module.compile()`, which torch leaves out
        told["_compiled_call_impl"] = compiled
    return NEW_OBJECT, (type(module),), told, None, None, set_module_state


_NEW_MODULE = tuple(vars(torch.nn.Module()))


def set_module_state(module: torch.nn.Module, state: dict[str, Any]) -> None:
    """Give a bare module its attributes; those of every module that are not told are empty."""
    vars(module).update({**vars(torch.nn.Module()), **state})


def reduce_generator(generator: torch.Generator) -> tuple[Any, ...]:
    """Return how pickle saves a generator of torch: its device and its state."""
    return rebuild_generator, (str(generator.device), generator.get_state())


def rebuild_generator(device: str, state: torch.Tensor) -> torch.Generator:
    """Build a generator that goes on where the saved one stood.

    That of a GPU which is not there becomes one of the CPU, which has other states: its numbers
    follow from the saved state, but are not those that would have come.
    """
    target = torch.device(device_for(device))
    if target.type != torch.device(device).type or (target.type == "cuda" and not is_here(target)):
        return torch.Generator().manual_seed(zlib.crc32(tensor_bytes(state)))
    generator = torch.Generator(device=target)
    generator.set_state(state)
    return generator


def generator_parts(generator: torch.Generator) -> list[Part]:
    """Return the state of a generator."""
    return [(".state", generator.get_state())]


def optimizer_parts(optimizer: torch.optim.Optimizer) -> list[Part]:
    """Return groups and slots; slots by the number of their parameter, as in a state_dict."""
    parts: list[Part] = []
    number = 0
    for index, group in enumerate(optimizer.param_groups):
        parts += [(f".param_groups[{index}].{k}", v) for k, v in group.items() if k != "params"]
        for parameter in group["params"]:
            slots: dict[str, Any] = optimizer.state.get(parameter, {})
            parts += [(f".state[{number}].{name}", v) for name, v in slots.items()]
            parts.append((f".params[{number}]", parameter))
            number += 1
    others = {k: v for k, v in optimizer_state(optimizer).items() if k not in _NOT_SHOWN}
    return parts + labelled(others)
