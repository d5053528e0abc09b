"""MLP: a multi-layer perceptron that can also hand itself over to NumPy."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

from garage_like.np import mlp as np_mlp
from garage_like.np.compiled.binding import is_in_use
from garage_like.np.compiled.network import CompiledMLP, can_take

Nonlinearity = type[nn.Module] | nn.Module | Callable[[torch.Tensor], torch.Tensor] | None
Initializer = Callable[[torch.Tensor], object]

# What NumPy can do as well: module type -> name in garage_like.np.mlp.ACTIVATIONS.
_NUMPY_NAMES: dict[type[nn.Module], str] = {
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.Sigmoid: "sigmoid",
    nn.ELU: "elu",
    nn.Softplus: "softplus",
    nn.SiLU: "silu",
    nn.Identity: "identity",
}

_MODULES: dict[object, type[nn.Module]] = {
    torch.tanh: nn.Tanh,
    torch.relu: nn.ReLU,
    torch.sigmoid: nn.Sigmoid,
    nn.functional.tanh: nn.Tanh,
    nn.functional.relu: nn.ReLU,
    nn.functional.sigmoid: nn.Sigmoid,
    nn.functional.elu: nn.ELU,
    nn.functional.softplus: nn.Softplus,
    nn.functional.silu: nn.SiLU,
}


_FUNCTIONS: dict[type[nn.Module], Callable[[torch.Tensor], torch.Tensor]] = {
    nn.Tanh: torch.tanh,
    nn.ReLU: torch.relu,
    nn.Sigmoid: torch.sigmoid,
}


class UnknownNonlinearityError(TypeError, ValueError):
    """What was given for a nonlinearity is none; garage raises a ValueError there."""


class Function(nn.Module):
    """Apply a function of one tensor."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the function."""
        return self.function(x)


class NonLinearity(nn.Module):
    """Be the module that a nonlinearity comes to.

    Args:
        non_linear: module class, module or function.

    Raises:
        ValueError: if it is none of them.
    """

    def __init__(self, non_linear: Nonlinearity) -> None:
        super().__init__()
        if non_linear is None:
            raise UnknownNonlinearityError("non_linear must not be None")
        self.module = as_module("non_linear", non_linear)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it."""
        outputs: torch.Tensor = self.module(x)
        return outputs


class MLP(nn.Module):
    """Compute a multi-layer perceptron.

    Args:
        input_dim: inputs.
        output_dim: outputs.
        hidden_sizes: units of each hidden layer.
        hidden_nonlinearity: module class, module or function; None for none.
        hidden_w_init: fills a weight in place, as those of `torch.nn.init` do.
        hidden_b_init: fills a bias in place.
        output_nonlinearity: as hidden_nonlinearity.
        output_w_init: as hidden_w_init.
        output_b_init: as hidden_b_init.
        layer_normalization: normalise what goes into each hidden nonlinearity.

    Raises:
        ValueError: if a hidden size is no positive integer.
        TypeError: if a nonlinearity is none of what it may be.
    """

    _acts_in_c = False  # of snapshots that were made before there was anything in C for it

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        hidden_sizes: Sequence[int] = (32, 32),
        hidden_nonlinearity: Nonlinearity = nn.Tanh,
        hidden_w_init: Initializer = nn.init.xavier_uniform_,
        hidden_b_init: Initializer = nn.init.zeros_,
        output_nonlinearity: Nonlinearity = None,
        output_w_init: Initializer = nn.init.xavier_uniform_,
        output_b_init: Initializer = nn.init.zeros_,
        layer_normalization: bool = False,
    ) -> None:
        super().__init__()
        sizes = np_mlp.layer_sizes(input_dim, hidden_sizes, output_dim)
        pairs = list(pairwise(sizes))
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in pairs[:-1])
        self.norms = nn.ModuleList(nn.LayerNorm(o) for _, o in pairs[:-1] if layer_normalization)
        self.output = nn.Linear(*pairs[-1])
        self.hidden_nonlinearity = as_module("hidden_nonlinearity", hidden_nonlinearity)
        self.output_nonlinearity = as_module("output_nonlinearity", output_nonlinearity)
        for layer in self._layers():
            is_output = layer is self.output
            (output_w_init if is_output else hidden_w_init)(layer.weight)
            (output_b_init if is_output else hidden_b_init)(layer.bias)
        self._acts_in_c = is_in_use()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map shape (N, input_dim) to shape (N, output_dim)."""
        # Small networks feel every call of a module: functions are called instead where possible.
        activate = _FUNCTIONS.get(type(self.hidden_nonlinearity), self.hidden_nonlinearity)
        for index, layer in enumerate(self.hidden):
            x = layer(x)
            if len(self.norms):
                x = self.norms[index](x)
            x = activate(x)
        x = self.output(x)
        return x if type(self.output_nonlinearity) is nn.Identity else self.output_nonlinearity(x)

    @property
    def output_dim(self) -> int:
        """How many outputs there are."""
        return self.output.out_features

    def _layers(self) -> list[nn.Linear]:
        return [*(layer for layer in self.hidden if isinstance(layer, nn.Linear)), self.output]

    def to_numpy(self) -> np_mlp.MLP | CompiledMLP | None:
        """Return the same network on NumPy views of the weights, or None if NumPy cannot do it.

        It computes in C where there is a library for that, unless the network was made without. On
        a CPU the views share the weights' memory: they see every update.
        """
        kept = _NUMPY_FORMS.get(self)
        if kept is not None and kept.is_current(self):
            return kept.network
        network = self._numpy_form()
        if network is not None and self.output.weight.device.type == "cpu":
            _NUMPY_FORMS[self] = _NumpyForm(self, network)
        return network

    def _numpy_form(self) -> np_mlp.MLP | CompiledMLP | None:
        hidden = _numpy_activation(self.hidden_nonlinearity)
        output = _numpy_activation(self.output_nonlinearity)
        if hidden is None or output is None or len(self.norms):
            return None
        if self._acts_in_c and hidden in (np_mlp.tanh, np_mlp.relu):
            rows = [
                (layer.weight.detach().cpu().numpy(), layer.bias.detach().cpu().numpy())
                for layer in self._layers()
            ]
            if can_take(rows):
                after = None if output is np_mlp.identity else output
                return CompiledMLP(rows, hidden is np_mlp.tanh, after)
        layers = [
            (layer.weight.detach().cpu().numpy().T, layer.bias.detach().cpu().numpy())
            for layer in self._layers()
        ]
        return np_mlp.MLP(layers, hidden, output)


class _NumpyForm:
    """A network on views of a module's weights, and what tells whether they are its weights still.

    Args:
        module: whose weights.
        network: what computes with them.
    """

    def __init__(self, module: MLP, network: np_mlp.MLP | CompiledMLP) -> None:
        self.network = network
        self._parts = self._parts_of(module)
        self._addresses = [weight.data_ptr() for weight in self._parts[-1]]

    @staticmethod
    def _parts_of(module: MLP) -> tuple[list[nn.Module | None], list[torch.Tensor]]:
        modules = module._modules
        hidden = modules["hidden"]
        assert hidden is not None
        layers = [*hidden._modules.values(), modules["output"]]
        weights = [w for layer in layers for w in layer._parameters.values()]  # type: ignore[union-attr]
        return [modules["hidden_nonlinearity"], modules["output_nonlinearity"]], weights  # type: ignore[return-value]

    def is_current(self, module: MLP) -> bool:
        """Whether a module consists of the same parts, which lie where they lay."""
        (activations, weights), (old_activations, old_weights) = self._parts_of(module), self._parts
        return (
            len(weights) == len(old_weights)
            and all(map(operator.is_, activations, old_activations))
            and all(map(operator.is_, weights, old_weights))
            and [weight.data_ptr() for weight in weights] == self._addresses
        )


# Making a form costs more than a decision, and off-policy algorithms ask for one at each env step.
_NUMPY_FORMS: weakref.WeakKeyDictionary[MLP, _NumpyForm] = weakref.WeakKeyDictionary()


def as_module(name: str, nonlinearity: Nonlinearity) -> nn.Module:
    """Turn what a nonlinearity may be into a module; `name` is the argument's."""
    if isinstance(nonlinearity, nn.Module):
        return nonlinearity
    if isinstance(nonlinearity, type) and issubclass(nonlinearity, nn.Module):
        return nonlinearity()
    if nonlinearity is None:
        return nn.Identity()
    if isinstance(nonlinearity, type) or not callable(nonlinearity):
        raise UnknownNonlinearityError(
            f"{name} must be a torch.nn.Module, its class, a function of a tensor, or None, "
            f"got {nonlinearity!r}"
        )
    known = _MODULES.get(nonlinearity)
    return Function(nonlinearity) if known is None else known()


def _numpy_activation(module: nn.Module) -> np_mlp.Activation | None:
    """Find NumPy's equal of a nonlinearity with its default options."""
    name = _NUMPY_NAMES.get(type(module))
    if name is None or repr(module) != repr(type(module)()):
        return None
    return np_mlp.ACTIVATIONS[name]
