"""Networks that learn, and those that follow them: optimizers, their rates, and targets.

Off-policy algorithms have several of each. What differs between backends is what a class of theirs
implements: a new optimizer, its rate, and a network's follower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from garage_like.algos.schedules import LearningRate, Schedule, as_schedule
from garage_like.interfaces import RLAlgorithm

OptimizerSpec = type | tuple[type, Mapping[str, Any]]
"""An optimizer class of the backend, or a pair of it and its keyword arguments."""

# Which optimizers a learning rate is for, by the constructor's argument.
_RATES = {"policy_lr": ("Policy", "Entropy"), "qf_lr": ("Critic",)}
# Snapshots name optimizers by these attributes.
_OPTIMIZERS = {
    "Policy": "_policy_optimizer",
    "Critic": "_qf_optimizer",
    "Entropy": "_alpha_optimizer",
}


class LearningNetworks(RLAlgorithm):
    """Make optimizers whose learning rates follow their schedules, and targets that follow."""

    _default_optimizer: ClassVar[Any]
    _rates: dict[str, Schedule]
    _targets: Any

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with another learning rate, say; see `Configured`.

        Args:
            values: numbers by argument.

        Raises:
            ValueError: if one is out of range, or cannot be changed.
            TypeError: if a rate is no number.
        """
        others = dict(values)
        optimizers = self._optimizers()
        for argument, names in _RATES.items():
            moved = [name for name in names if name in optimizers]
            if argument in others and moved:
                rate = as_schedule(type(self).__name__, argument, others.pop(argument))
                self._rates.update(dict.fromkeys(moved, rate))
        super().change_arguments(others)

    def _make_optimizer(
        self,
        name: str,
        optimizer: OptimizerSpec | None,
        learning_rate: LearningRate,
        *networks: Any,
    ) -> Any:
        """Return one optimizer for all weights of some networks.

        Args:
            name: `Policy`, `Critic` or `Entropy`, for `Learning/PolicyLearningRate`; the optimizer
                must become the attribute that goes with it.
            optimizer: a class, or a pair of it and its keyword arguments; None for Adam.
            learning_rate: a number or a Schedule; a rate among the keyword arguments comes first.
            *networks: whose weights it moves.
        """
        owner = type(self).__name__
        spec = self._default_optimizer if optimizer is None else optimizer
        cls, keywords = spec if isinstance(spec, tuple) else (spec, {})
        if not isinstance(keywords, Mapping) or not self._is_optimizer(cls):
            raise ValueError(
                f"{owner}: an optimizer must be a class, or a pair of it and a dict of its keyword "
                f"arguments; got {optimizer!r}"
            )
        for key in ("lr", "learning_rate"):
            learning_rate = keywords.get(key, learning_rate)
        schedule = as_schedule(owner, f"the learning rate of {name}", learning_rate)
        self._rates[name] = schedule
        return self._new_optimizer(name, cls, keywords, schedule.value(0), networks)

    @staticmethod
    def _is_optimizer(cls: Any) -> bool:
        """Tell whether a class is an optimizer's, as far as the class itself would not say."""
        return True

    def _new_optimizer(
        self, name: str, cls: Any, keywords: Mapping[str, Any], rate: float, networks: Sequence[Any]
    ) -> Any:
        """Return an optimizer of a class for some networks, with a learning rate."""
        raise NotImplementedError(f"{type(self).__name__} must implement _new_optimizer")

    def _follow(self, *networks: Any) -> list[Any]:
        """Return a target network for each, which `_targets.update(tau)` moves towards it."""
        raise NotImplementedError(f"{type(self).__name__} must implement _follow")

    def _optimizers(self) -> dict[str, Any]:
        """Return the optimizers by what they move."""
        rates = vars(self).get("_rates", {})  # an algorithm of a user's may have none
        return {name: getattr(self, _OPTIMIZERS[name]) for name in rates}

    def _set_learning_rates(self, env_steps: int) -> None:
        """Let learning rates follow their schedules; called before the gradient steps."""
        for name, optimizer in self._optimizers().items():
            self._set_rate(optimizer, self._rates[name].value(env_steps))

    def _learning_rates(self) -> dict[str, float]:
        """Return the present learning rates, as `Learning/...`."""
        return {
            f"Learning/{name}LearningRate": self._rate(optimizer)
            for name, optimizer in self._optimizers().items()
        }

    @staticmethod
    def _set_rate(optimizer: Any, rate: float) -> None:
        """Change an optimizer's learning rate."""
        optimizer.learning_rate = rate

    @staticmethod
    def _rate(optimizer: Any) -> float:
        """Return an optimizer's learning rate."""
        return float(optimizer.learning_rate)


def check_tau(owner: str, tau: float) -> None:
    """Raise ValueError unless a target moves, and not beyond its original."""
    if not 0.0 < tau <= 1.0:
        raise ValueError(f"{owner}: target_update_tau must be in (0, 1], got {tau!r}")
