"""Which array of a checkpoint goes where: by name, else by role, shape and order.

First the caller's map. Then names: the same, or the same end. Then layers: those of one role (actor
or critic) with equal shapes are taken in their order, which must be certain: numbered names, or a
file that keeps the order of the network. Anything else is ambiguous and is said so.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from garage_like.interop.checkpoint import Checkpoint
from garage_like.interop.foreign_names import (
    are_numbered,
    is_deviation,
    natural,
    tag_of,
    temperature_kind,
    without_numbers,
)
from garage_like.interop.layers import Layer, OwnLayer, layers_in, own_layers, without_copies
from garage_like.interop.match import Match, Matching
from garage_like.interop.weights import Component, Weight


class Matcher:
    """Find what the networks of a target get from a checkpoint.

    Args:
        checkpoint: where from.
        components: networks of the target.
    """

    def __init__(self, checkpoint: Checkpoint, components: list[Component]) -> None:
        self._checkpoint = checkpoint
        self._arrays = checkpoint.arrays
        self._components = components
        layers = layers_in(self._arrays, self._arrays)
        self._turned = {layer.kernel for layer in layers if layer.is_turned}
        self.found = Matching()

    def match(self, component: Component) -> None:
        """Match a network with what the names say is of its role."""
        names, ambiguous = self._pool(component)
        if ambiguous:
            self.found.ambiguous.update({w.name: ambiguous for w in self._open(component.weights)})
            return
        self.match_among(component.weights, component, names, self._trunk(component))

    def take(self, weight: Weight, names: tuple[str, ...]) -> None:
        """Match a weight with arrays that the caller names."""
        turned = any(name in self._turned for name in names)
        self.found.matches.append(Match(weight, names, turned, "as told"))

    def match_among(
        self,
        weights: Iterable[Weight],
        component: Component,
        names: list[str],
        trunk: list[str] | None = None,
    ) -> None:
        """Match weights with some arrays of the checkpoint.

        Args:
            weights: that get something.
            component: the network that they are of.
            names: of the arrays.
            trunk: of more arrays, for layers for which there is none else.
        """
        self._by_name(self._open(weights), component, names)
        self._by_layer(self._open(weights), component, names, trunk or [])
        for weight in self._open(weights):
            self._alone(weight, component, names)

    def _open(self, weights: Iterable[Weight]) -> list[Weight]:
        closed = self.found.matched | self.found.ambiguous.keys()
        return [weight for weight in weights if weight.name not in closed]

    def _pool(self, component: Component) -> tuple[list[str], list[str]]:
        """Return the names that may be a network's, or names of several that it could be."""
        tags = {name: tag_of(name) for name in self._arrays}
        # A policy alone, with no word for it in its names, may be anything that is no critic.
        wanted = {"policy": "actor", "q": "critic", "value": "critic"}.get(component.role, "")
        same = [name for name, tag in tags.items() if tag.is_target == component.is_target]
        if component.role in ("", "temperature"):
            return same, []
        if component.role != "q":
            return [name for name in same if tags[name].role in ("", wanted)], []
        groups = sorted({tags[n].group for n in same if tags[n].role == wanted}, key=natural)
        own = [c for c in self._components if c.role == "q" and c.is_target == component.is_target]
        place = own.index(component)
        if len(groups) > len(own):
            return [], groups
        if groups and place >= len(groups):
            return [], []
        chosen = [n for n in same if groups and tags[n].group == groups[place]]
        return [*chosen, *(name for name in same if not tags[name].role)], []

    def _trunk(self, component: Component) -> list[str]:
        """List the arrays of the actor that a critic may share."""
        if component.role != "value":
            return []
        return [name for name in self._arrays if tag_of(name) == ("actor", "", False)]

    def _by_name(self, weights: list[Weight], component: Component, names: list[str]) -> None:
        prefix = f"{component.name}." if component.name else ""
        alike: list[tuple[Weight, str]] = []
        for weight in weights:
            local = weight.name.removeprefix(prefix)
            fitting = [name for name in names if self._shape(name) == weight.shape]
            same = [name for name in fitting if name in (weight.name, local)]
            if same:
                self._take(weight, same[0], "name")
            ends = same or [name for name in fitting if _end_alike(name, local)]
            alike += [(weight, ends[0])] if len(ends) == 1 else []
        # Ends of names say something only if they do so for every weight.
        if len({name for _, name in alike}) == len(weights):
            for weight, name in alike:
                if weight.name not in self.found.matched:
                    self._take(weight, name, "end of the name")

    def _shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array, of a kernel as (outputs, inputs)."""
        shape = self._arrays[name].shape
        return shape[::-1] if name in self._turned else shape

    def _take(self, weight: Weight, name: str, how: str) -> None:
        self.found.matches.append(Match(weight, (name,), name in self._turned, how))

    def _by_layer(
        self, weights: list[Weight], component: Component, names: list[str], trunk: list[str]
    ) -> None:
        theirs = self._layers(names)
        self._join_heads(own_layers(weights), component, theirs)
        open_layers = own_layers(self._open(weights))
        for _, same in groupby(sorted(open_layers, key=_shape), key=_shape):
            # groupby sorts stably: layers of one shape stay in their order.
            self._in_order(list(same), theirs, self._layers(trunk))
        if own_layers(weights):
            self.found.leftover += self._without_place(theirs)

    def _without_place(self, theirs: list[Layer]) -> list[str]:
        """List arrays that belong to the networks that were taken, and are not."""
        used = self.found.used
        taken = [self._arrays[name] for name in used]
        networks = {without_numbers(one.kernel) for one in theirs if one.kernel in used}
        return [
            name
            for layer in theirs
            if len(layer.shape) > 1 and layer.kernel not in used
            if tag_of(layer.kernel).role or without_numbers(layer.kernel) in networks
            if not any(np.array_equal(self._arrays[layer.kernel], other) for other in taken)
            for name in layer.names
        ]

    def _layers(self, names: list[str]) -> list[Layer]:
        found = layers_in(self._arrays, names)
        return without_copies([one for one in found if not is_deviation(one.kernel)], self._arrays)

    def _in_order(self, own: list[OwnLayer], theirs: list[Layer], trunk: list[Layer]) -> None:
        used = self.found.used
        fitting = [one for one in theirs if one.shape == own[0].shape and one.kernel not in used]
        how = "shape and order"
        if len(fitting) < len(own):
            fitting += [one for one in trunk if one.shape == own[0].shape]
            how = "shape and order, shared with the actor"
        names = [layer.kernel for layer in fitting]
        certain = are_numbered(names) or self._checkpoint.is_ordered
        if len(fitting) > len(own) or (len(fitting) == len(own) and not certain):
            self.found.ambiguous.update({layer.kernel.name: names for layer in own})
            self.found.ambiguous.update(
                {o.bias.name: [f.bias for f in fitting if f.bias] for o in own if o.bias}
            )
        elif len(fitting) == len(own):
            if are_numbered(names):
                fitting.sort(key=lambda layer: natural(layer.kernel))
            for layer, other in zip(own, fitting, strict=True):
                self._pair(layer, (other,), how)

    def _pair(self, own: OwnLayer, theirs: tuple[Layer, ...], how: str) -> None:
        if (own.bias is None) != any(layer.bias is None for layer in theirs):
            return
        kernels = tuple(layer.kernel for layer in theirs)
        self.found.matches.append(Match(own.kernel, kernels, theirs[0].is_turned, how))
        if own.bias is not None:
            biases = tuple(layer.bias or "" for layer in theirs)
            self.found.matches.append(Match(own.bias, biases, how=how))

    def _join_heads(self, own: list[OwnLayer], component: Component, theirs: list[Layer]) -> None:
        """Join a layer for means and one for deviations, where the target has one for both."""
        if not own or not hasattr(component.module, "log_std_range"):
            return
        output = own[-1]
        if any(layer.shape == output.shape for layer in theirs):
            return
        half = (output.shape[0] // 2, *output.shape[1:])
        pool = [n for n in self._arrays if tag_of(n).is_target == component.is_target]
        heads = [one for one in layers_in(self._arrays, pool) if one.shape == half]
        deviations = [one for one in heads if is_deviation(one.kernel)]
        means = [one for one in theirs if one.shape == half]
        # A hidden layer may have this shape as well; the head comes right before the deviations'.
        if len(means) > 1 and self._checkpoint.is_ordered:
            means = means[-1:]
        if len(means) == len(deviations) == 1:
            self._pair(output, (means[0], deviations[0]), "means and deviations joined")
        elif means and deviations:
            names = [layer.kernel for layer in (*means, *deviations)]
            self.found.ambiguous[output.kernel.name] = names

    def _alone(self, weight: Weight, component: Component, names: list[str]) -> None:
        """Match what is no layer: a deviation, a temperature, anything of a shape of its own."""
        used = self.found.used
        free = [name for name in names if name not in used]
        leaf = weight.name.rpartition(".")[2]
        if component.role == "temperature":
            hits = [name for name in free if temperature_kind(name) and self._size(name) == 1]
            hits = [name for name in hits if temperature_kind(name) == "log"] or hits
        elif is_deviation(leaf):
            size = int(np.prod(weight.shape))
            hits = [name for name in free if is_deviation(name) and self._size(name) == size]
            hits = [name for name in hits if not name.endswith(("weight", "bias", "kernel"))]
        elif own_layers(component.weights) and any(
            weight in (layer.kernel, layer.bias) for layer in own_layers(component.weights)
        ):
            return
        else:
            hits = [name for name in free if self._arrays[name].shape == weight.shape]
        first = hits[:1]
        if all(np.array_equal(self._arrays[name], self._arrays[first[0]]) for name in hits[1:]):
            hits = first  # a module that is saved twice
        if len(hits) == 1:
            self.found.matches.append(Match(weight, (hits[0],), how="role and shape"))
        elif hits:
            self.found.ambiguous[weight.name] = hits

    def _size(self, name: str) -> int:
        return int(self._arrays[name].size)


def _shape(layer: OwnLayer) -> tuple[int, ...]:
    return layer.shape


def _end_alike(name: str, local: str) -> bool:
    return name.endswith(f".{local}") or local.endswith(f".{name}")
