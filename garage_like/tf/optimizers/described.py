"""Optimizers as garage's programs describe them: a class, and a dict of its arguments.

There an algorithm is given both and makes the optimizer of its policy; here it is given an
OptimizerWrapper, and this makes one of such a description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garage_like.tf.optimizers.adam import Adam
from garage_like.tf.optimizers.conjugate_gradient_optimizer import ConjugateGradientOptimizer
from garage_like.tf.optimizers.lbfgs_optimizer import LBFGSOptimizer
from garage_like.tf.optimizers.optimizer_wrapper import OptimizerWrapper
from garage_like.tf.quiet_import import tf

_SAYS_NOTHING = {"name", "verbose", "callback", "hvp_approach", "num_slices", "tolerance"}
_FIRST_ORDER = {"optimizer", "learning_rate", "lr", "max_optimization_epochs", "batch_size"}
_IN_KERAS = {"GradientDescent": "SGD", "Momentum": "SGD", "RMSProp": "RMSprop"}
_TRUST_REGION = {
    "cg_iters": "cg_iters",
    "reg_coeff": "hvp_reg_coeff",
    "max_backtracks": "max_backtracks",
    "backtrack_ratio": "backtrack_ratio",
    "accept_violation": "accept_violation",
}


def of_today(optimizer: Any) -> Any:
    """Return what an optimizer class of TensorFlow 1 is here, and any other as it is."""
    if not isinstance(optimizer, type) or not optimizer.__module__.startswith("tensorflow."):
        return optimizer
    name = optimizer.__name__.removesuffix("Optimizer")
    if name == "Adam":
        return Adam
    return getattr(tf.keras.optimizers, _IN_KERAS.get(name, name), optimizer)


class FirstOrderOptimizer:
    """Name an optimizer that moves along gradients, in minibatches; as `optimizer=`."""


class FiniteDifferenceHVP:
    """Ask for Hessian-vector products by finite differences; here they are computed exactly.

    Args:
        base_eps: has no effect.
        symmetric: has no effect.
        num_slices: has no effect.
    """

    def __init__(self, base_eps: float = 1e-5, symmetric: bool = True, num_slices: int = 1) -> None:
        self.options = (base_eps, symmetric, num_slices)


class PearlmutterHVP:
    """Ask for Hessian-vector products by differentiating twice, as they are computed anyway.

    Args:
        num_slices: has no effect.
    """

    def __init__(self, num_slices: int = 1) -> None:
        self.options = (num_slices,)


def described_optimizer(
    owner: str,
    module: Any,
    optimizer: Any,
    options: Mapping[str, Any] | None,
    default: OptimizerWrapper,
    max_constraint_value: float | None,
) -> Any:
    """Return what moves a policy or a baseline, as it is described.

    Args:
        owner: who asks, for errors.
        module: what is moved.
        optimizer: a class; None for the kind of `default`.
        options: arguments of the class by garage's names.
        default: of the algorithm; what is not described is as it is there.
        max_constraint_value: the trust region, where there is one.

    Raises:
        TypeError: if the class or an argument is not known.
    """
    given = {k: v for k, v in dict(options or {}).items() if k not in _SAYS_NOTHING}
    if given.pop("subsample_factor", 1.0) != 1.0:
        raise TypeError(f"{owner}: subsample_factor must be 1.0: all steps of the batch are used")
    if isinstance(optimizer, type) and issubclass(optimizer, LBFGSOptimizer):
        return optimizer(module, **given)
    inner = default.optimizer
    is_trust_region = optimizer is ConjugateGradientOptimizer or (
        optimizer is None and isinstance(inner, ConjugateGradientOptimizer)
    )
    known = _TRUST_REGION.keys() if is_trust_region else _FIRST_ORDER
    if given.keys() - known:
        raise TypeError(
            f"{owner}: optimizer_args has {', '.join(sorted(given.keys() - known))}; expected some"
            f" of {', '.join(sorted(known))}"
        )
    if is_trust_region:
        arguments = {_TRUST_REGION[key]: value for key, value in given.items()}
        limit = 0.01 if max_constraint_value is None else max_constraint_value
        arguments["max_constraint_value"] = limit
        return OptimizerWrapper((ConjugateGradientOptimizer, arguments), module)
    cls = of_today(given.get("optimizer") or optimizer)
    if cls in (None, FirstOrderOptimizer):
        cls = Adam
    rate = given.get("learning_rate", given.get("lr"))
    name = "lr" if cls is Adam else "learning_rate"
    passes, size = default.plan
    return OptimizerWrapper(
        (cls, {} if rate is None else {name: rate}),
        module,
        max_optimization_epochs=given.get("max_optimization_epochs", passes),
        minibatch_size=given.get("batch_size", size),
    )
