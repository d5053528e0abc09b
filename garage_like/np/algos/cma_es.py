"""CMAES: covariance matrix adaptation, by the `cma` library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from garage_like import seeding
from garage_like.errors import install_hint
from garage_like.np.algos.parameter_search import ParameterSearch, initial_vector

if TYPE_CHECKING:
    from garage_like.data.env_spec import EnvSpec
    from garage_like.interfaces import Metrics, Policy, Sampler


class CMAES(ParameterSearch):
    """Draw parameters from a normal distribution whose whole covariance adapts to success.

    Hansen and Ostermeier 2001, doi.org/10.1162/106365601750190398. The covariance of P parameters
    takes P^2 numbers, and decomposing it P^3 operations: take small policies.

    Args:
        policy: whose parameters are searched, starting from those it has.
        discount: factor for one env step, for metrics alone.
        sigma0: standard deviation of the first candidates.

    Raises:
        ValueError: if an argument is out of range.
        ImportError: if the `cma` library is not installed.
    """

    METRICS = {
        **ParameterSearch.METRICS,
        "CMAES/StepSize": "Overall standard deviation to draw from next.",
    }

    def __init__(
        self,
        env_spec: EnvSpec,
        policy: Policy,
        sampler: Sampler | None,
        n_samples: int,
        discount: float = 0.99,
        sigma0: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, policy, sampler, n_samples, discount)
        if not sigma0 > 0.0:
            raise ValueError(f"CMAES: sigma0 must be positive, got {sigma0!r}")
        noise = NormalNoise(seeding.stream("CMAES"))
        self._strategy = _strategy(initial_vector("CMAES", policy), sigma0, n_samples, noise)

    def _candidates(self) -> np.ndarray:
        return np.array(self._strategy.ask())

    def _learn(self, candidates: np.ndarray, returns: np.ndarray) -> Metrics:
        self._strategy.tell(list(candidates), (-returns).tolist())
        return {"StepSize": float(self._strategy.sigma)}

    def _mean(self) -> np.ndarray:
        mean: np.ndarray = self._strategy.mean
        return mean


class NormalNoise:
    """Draw normal numbers for `cma` from a generator that is pickled with it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, *shape: int) -> np.ndarray:
        """Return standard normal numbers of a shape."""
        return self._rng.standard_normal(shape)


def _strategy(start: np.ndarray, sigma0: float, n_samples: int, noise: NormalNoise) -> Any:
    """Make cma's strategy so that its state says how it goes on, and nothing else does.

    By default it seeds and uses NumPy's global generator, obeys a file `cma_signals.in` in the
    working directory (verbose > -10) and writes files of its own (verb_log).
    """
    try:
        import cma
    except ImportError as error:
        raise ImportError(f"CMAES needs the library cma: {install_hint('cma')}") from error
    options = {
        "popsize": n_samples,
        "randn": noise,
        "seed": np.nan,
        "verbose": -10,
        "verb_log": 0,
        "verb_disp": 0,
    }
    return cma.CMAEvolutionStrategy(start, sigma0, options)
