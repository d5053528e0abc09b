"""NeuralCircuit: which neurons hear which, layer after layer."""

from __future__ import annotations

import math

import numpy as np

from garage_like import seeding


class NeuralCircuit:
    """Wire neurons as Lechner et al. 2020 (Nature Machine Intelligence 2, 642) do.

    What is sensed goes to inter neurons, these go to command neurons, which hear each other too,
    and these go to motor neurons, which are what the outside sees. Each layer hears the one before
    within a step, and itself of the step before. Synapses between layers are few, and drawn once,
    from a stream of the run; every neuron has at least one that goes out, and one that comes in.

    Neurons are counted from the motor neurons: motor, command, inter.

    Args:
        inputs: D, what is sensed.
        neurons: H, of all three layers.
        motors: motor neurons; three fifths of the others are inter neurons, the rest command ones.
        sparsity: share of the synapses between two layers that there are not.

    Attributes:
        layers: first and last (exclusive) neuron of each, in the order in which they are stepped.
        input_mask: shape (D, H), float32: 1 where a neuron hears an input.
        state_mask: shape (H, H), float32: 1 where a neuron, by column, hears another, by row.

    Raises:
        ValueError: if there are too few neurons, or the share is none.
    """

    def __init__(self, inputs: int, neurons: int, motors: int, sparsity: float = 0.5) -> None:
        if neurons < motors + 2:
            raise ValueError(
                f"NeuralCircuit: {motors} motor neurons need at least one inter and one command "
                f"neuron beside them: at least {motors + 2} neurons, got {neurons!r}"
            )
        if not 0.0 <= sparsity < 1.0:
            raise ValueError(f"NeuralCircuit: sparsity must be in [0, 1), got {sparsity!r}")
        commands = max(1, int(0.4 * (neurons - motors)))
        motor, command = slice(0, motors), slice(motors, motors + commands)
        inter = slice(motors + commands, neurons)
        self.layers = [(layer.start, layer.stop) for layer in (inter, command, motor)]
        self.input_mask = np.zeros((inputs, neurons), np.float32)
        self.state_mask = np.zeros((neurons, neurons), np.float32)
        rng = seeding.stream("neural circuit")
        density = 1.0 - sparsity
        _connect(self.input_mask[:, inter], density, rng)
        _connect(self.state_mask[inter, command], density, rng)
        _connect(self.state_mask[command, motor], density, rng)
        for layer in (inter, command, motor):
            self.state_mask[layer, layer] = 1.0


def _connect(mask: np.ndarray, density: float, rng: np.random.Generator) -> None:
    """Draw which of N senders, by row, each of M receivers hears, by column."""
    senders, receivers = mask.shape
    fan_out = max(1, math.ceil(density * receivers))
    for row in mask:
        row[rng.permutation(receivers)[:fan_out]] = 1.0
    for lonely in np.flatnonzero(~mask.any(axis=0)):
        mask[rng.integers(senders), lonely] = 1.0
