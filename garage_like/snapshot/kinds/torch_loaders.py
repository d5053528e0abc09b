"""torch's DataLoader with workers that live on from epoch to epoch: they are started again.

What the workers draw and keep is in their processes, and nobody can ask them for it. Imported only
where torch is loaded already.
"""

from __future__ import annotations

from typing import Any

import torch

_MODULE = "torch.utils.data.dataloader"


def is_loading_class(cls: type) -> bool:
    """Tell whether a class is one of loaders, or of what goes through their data."""
    return any(base.__module__ == _MODULE for base in cls.__mro__)


def keeps_workers(value: Any) -> bool:
    """Tell whether a value is a loader whose workers live on."""
    return bool(getattr(value, "persistent_workers", False) and getattr(value, "num_workers", 0))


def reduce_loading(value: Any) -> Any:
    """Return how pickle saves what goes through data: only between two epochs, and with workers."""
    is_between = getattr(value, "_persistent_workers", False) and (
        getattr(value, "_tasks_outstanding", 1) == 0
    )
    return (WorkersAgain, (value._base_seed,)) if is_between else NotImplemented


class WorkersAgain:
    """Start the workers of a loader again when it is gone through; nothing else is drawn for it.

    Args:
        base_seed: what the workers' seeds were counted from.
    """

    def __init__(self, base_seed: int) -> None:
        self._base_seed = base_seed

    def __reduce__(self) -> Any:
        """Return how it is saved before the workers were started."""
        return WorkersAgain, (self._base_seed,)

    def _reset(self, loader: Any, first_iter: bool = False) -> None:
        """Begin another epoch, as the loader asks what goes through its data to."""
        generator = loader.generator
        loader.generator = torch.Generator().manual_seed(self._base_seed)
        try:
            loader._iterator = loader._get_iterator()
        finally:
            loader.generator = generator
