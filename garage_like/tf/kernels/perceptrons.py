"""Which of TensorFlow's perceptrons the library in C can take, and how they lie."""

from __future__ import annotations

from garage_like.tf.modules.mlp import MLP
from garage_like.tf.quiet_import import tf


def is_plain(network: MLP) -> bool:
    """Tell whether the library computes what a perceptron does: hidden layers, tanh or ReLU."""
    if type(network) is not MLP or network.norms or len(network.layers) < 2:
        return False
    if network.hidden_nonlinearity not in ("tanh", "relu"):
        return False
    variables = variables_of(network)
    return (
        network.output_nonlinearity == "identity"
        and len({id(variable) for variable in variables}) == len(variables)
        and all(
            isinstance(v, tf.Variable) and v.dtype == tf.float32 and "GPU" not in v.device
            for v in variables
        )
    )


def variables_of(network: MLP) -> list[tf.Variable]:
    """Return weights and biases, layer by layer."""
    return [variable for layer in network.layers for variable in layer]


def widths_of(network: MLP) -> list[int]:
    """Return how many inputs there are, and the outputs of each layer."""
    weights = [layer.weight for layer in network.layers]
    return [int(weights[0].shape[0]), *(int(weight.shape[1]) for weight in weights)]
