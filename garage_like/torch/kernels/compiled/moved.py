"""What an optimizer moves, as the library takes it."""

from __future__ import annotations

from garage_like.np.compiled.binding import Adam, Moved
from garage_like.torch.kernels.dense import Dense
from garage_like.torch.optimizers.flat_adam import FlatAdam


def optimizer_of(flat: FlatAdam) -> tuple[Adam, Moved] | None:
    """Return an optimizer as the library takes it; None if it maximizes."""
    group = flat.group
    if group["maximize"]:
        return None
    options = (float(group["lr"]), *map(float, group["betas"]), float(group["eps"]))
    memory = (v.data_ptr() for v in (flat.parameters, flat.gradient, *flat.slots))
    return (
        Adam(*options, float(group["weight_decay"]), flat.decouples_decay),
        Moved(*memory, flat.parameters.numel(), int(flat.step_counts[0])),
    )


def place_of(network: Dense, flat: FlatAdam) -> int | None:
    """Return where a network's weights begin among the parameters; None if not in a row."""
    begin, size = network.addresses[0][0], sum(size for _, size in network.addresses)
    place, odd = divmod(begin - flat.parameters.data_ptr(), 4)
    fits = place >= 0 and place + size <= flat.parameters.numel()
    return place if network.is_in_a_row and fits and not odd else None
