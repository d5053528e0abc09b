"""Tensors that lie one after another in one piece of memory, so that one operation moves them all.

A snapshot writes such memory as the tensors that it is made of, and puts it together again; so
nothing of this needs to be kept on an object.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def flat_view(tensors: Sequence[torch.Tensor]) -> torch.Tensor | None:
    """Return one vector over tensors that lie one after another, or None if they do not."""
    first = tensors[0]
    storage = first.untyped_storage()
    address, place = storage.data_ptr(), first.data_ptr()
    for tensor in tensors:
        if (
            tensor.dtype != first.dtype
            or tensor.untyped_storage().data_ptr() != address
            or tensor.data_ptr() != place
            or not tensor.is_contiguous()
        ):
            return None
        place += tensor.numel() * tensor.element_size()
    count = (place - first.data_ptr()) // first.element_size()
    return torch.empty(0, dtype=first.dtype).set_(storage, first.storage_offset(), (count,), (1,))


def lay_flat(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Move tensors into one piece of memory, unless they lie so; return one vector over them.

    The tensors stay the objects that they are.
    """
    flat = flat_view(tensors)
    if flat is None:
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        for tensor, piece in zip(tensors, pieces(flat, tensors), strict=True):
            tensor.data = piece
    return flat


def pieces(flat: torch.Tensor, like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Cut a vector into views of the shapes of some tensors."""
    cuts = flat.split([tensor.numel() for tensor in like])
    return [cut.view(tensor.shape) for cut, tensor in zip(cuts, like, strict=True)]
