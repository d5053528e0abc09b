"""The gradient step of DQN in C, on copies of TensorFlow's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from garage_like.interfaces import Metrics
from garage_like.np.compiled.binding import Adam as AdamOptions
from garage_like.np.compiled.binding import Moved, Shape, address_of, shape_of, steps
from garage_like.np.compiled.q_step import QSteps
from garage_like.tf.kernels.perceptrons import is_plain, variables_of, widths_of
from garage_like.tf.modules.flat_variables import FlatVariables
from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.q_functions.discrete_mlp_q_function import DiscreteMLPQFunction

if TYPE_CHECKING:
    from garage_like.tf.algos.minibatch import Minibatch
    from garage_like.tf.algos.target_networks import TargetNetworks


class QLearningOptions(NamedTuple):
    """Those of DQN's arguments that its loss depends on."""

    discount: float
    double_q: bool
    clip_rewards: float | None
    clip_gradient: float | None


class QLearningKernel:
    """Do what `DQN._update` does, from the beginning of an epoch to its end.

    Args:
        shape: of both networks.
        qf: what is trained.
        target_qf: what gives the targets.
        optimizer: moves `qf`.
        targets: moves `target_qf` now and then.
        alone: whether nobody else looks at the weights or changes them within the epoch. Then
            variables are written at its end; else they are read before each step, and written
            after.
    """

    def __init__(
        self,
        shape: Shape,
        qf: DiscreteMLPQFunction,
        target_qf: DiscreteMLPQFunction,
        optimizer: Adam,
        targets: TargetNetworks,
        alone: bool,
    ) -> None:
        self._shape, self._optimizer, self._alone = shape, optimizer, alone
        self._qf = FlatVariables(variables_of(qf.mlp))
        self._target_qf = FlatVariables(variables_of(target_qf.mlp))
        self._first = FlatVariables(optimizer.first_moments)
        self._second = FlatVariables(optimizer.second_moments)
        self._gradient = np.empty_like(self._qf.vector)
        vectors = (self._qf.vector, self._gradient, self._first.vector, self._second.vector)
        count = int(optimizer.step_count)
        self._moved = Moved(*map(address_of, vectors), len(self._gradient), count)
        self._adam = AdamOptions(0.0, *optimizer.betas, optimizer.eps)
        self._options: QLearningOptions | None = None
        self._lent: list[Any] = [qf.mlp, targets] if alone else []
        if alone:
            qf.mlp.lend(self._qf)
            targets.lend(self._target_qf, self._qf)

    @classmethod
    def make(
        cls, qf: Any, target_qf: Any, optimizer: Any, targets: TargetNetworks, alone: bool
    ) -> QLearningKernel | None:
        """Return a kernel, or None if TensorFlow must take the steps."""
        if steps() is None or type(optimizer) is not Adam:
            return None
        for network in (qf, target_qf):
            if type(network) is not DiscreteMLPQFunction or network.is_dueling:
                return None
            if not is_plain(network.mlp):
                return None
        moved = variables_of(qf.mlp)
        alike = widths_of(qf.mlp) == widths_of(target_qf.mlp)
        alike &= qf.mlp.hidden_nonlinearity == target_qf.mlp.hidden_nonlinearity
        if not alike or list(map(id, optimizer.variables)) != list(map(id, moved)):
            return None
        shape = shape_of(widths_of(qf.mlp), qf.mlp.hidden_nonlinearity == "tanh")
        return None if shape is None else cls(shape, qf, target_qf, optimizer, targets, alone)

    def update(self, batch: Minibatch, options: QLearningOptions) -> tuple[Metrics, np.ndarray]:
        """Take one gradient step.

        Args:
            batch: to learn from, of arrays.
            options: of the loss.
        """
        if not self._alone:
            self._qf.read()
            self._target_qf.read()
        if self._options != options:
            self._options, target = options, address_of(self._target_qf.vector)
            of_loss = options.discount, options.double_q, options.clip_gradient
            self._steps = QSteps(self._shape, 0, target, *of_loss)
        self._adam.learning_rate = self._optimizer.learning_rate
        rewards, most = batch.rewards, options.clip_rewards
        (loss, value, target_mean), errors = self._steps.take(
            (self._adam, self._moved),
            batch.observations,
            batch.next_observations,
            batch.actions,
            rewards if most is None else np.clip(rewards, -most, most),
            batch.continues,
            batch.weights,
        )
        self._moved.steps += 1
        if not self._alone:
            self._qf.write()
        return {"Loss/Critic": loss, "Q-network/Q1": value, "Target/Mean": target_mean}, errors

    def release(self) -> None:
        """Write all variables; nothing of the kernel is used from now on.

        Raises:
            RuntimeError: if somebody has changed weights meanwhile, which is lost.
        """
        networks = (self._qf, self._target_qf) if self._alone else ()
        lost = [flat for flat in networks if flat.is_out_of_date()]
        for borrower in self._lent:
            borrower.take_back()
        for flat in (*networks, self._first, self._second):
            flat.write()
        self._optimizer.step_count.assign(float(self._moved.steps))
        if lost:
            raise RuntimeError(
                "weights of a Q-function were changed from outside within an epoch, by the"
                " environment say, while the library in C took the gradient steps: the change is"
                " lost; with GARAGE_LIKE_FAST_PATH=0 a new run takes them in TensorFlow"
            )
