"""Suggestions: Optuna's, as a function of the results so far and nothing else."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from typing import Any

from garage_like import seeding
from garage_like.errors import install_hint
from garage_like.sweeps.settings import Setting

Result = tuple[dict[str, Any], float | None]
"""Parameters, and how good they were, the more the better; None if nobody knows."""


def check_installed() -> None:
    """Raise ModuleNotFoundError if there is no Optuna."""
    if importlib.util.find_spec("optuna") is None:
        raise ModuleNotFoundError(
            f"--search optuna needs Optuna: {install_hint('sweeps')}", name="optuna"
        )


def suggested(
    settings: Sequence[Setting], results: Sequence[Result], number: int, seed: int
) -> list[dict[str, Any]]:
    """Return the next trials, which a tree-structured Parzen estimator thinks worth a try.

    Args:
        settings: what varies.
        results: of all trials so far, in the order of their numbers.
        number: of trials that are wanted.
        seed: what draws derive from.
    """
    import optuna
    from optuna.trial import TrialState, create_trial

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental features of Optuna, here and there
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        draws = seeding.integer_seed("suggestions", len(results), entropy=seed) % 2**32
        sampler = optuna.samplers.TPESampler(seed=draws, constant_liar=True)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        ranges = {setting.name: _range_of(setting) for setting in settings}
        for parameters, score in results:
            internal = {s.name: _shown(s, parameters[s.name]) for s in settings}
            known = TrialState.COMPLETE if score is not None else TrialState.FAIL
            study.add_trial(
                create_trial(state=known, value=score, params=internal, distributions=ranges)
            )
        asked = [study.ask(ranges).params for _ in range(number)]
    return [{s.name: _meant(s, params[s.name]) for s in settings} for params in asked]


def _range_of(setting: Setting) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if setting.low is None or setting.high is None:  # by number, since values may be anything
        return CategoricalDistribution(range(len(setting.values)))
    if setting.whole:
        return IntDistribution(int(setting.low), int(setting.high))
    return FloatDistribution(setting.low, setting.high, log=setting.is_logarithmic)


def _shown(setting: Setting, value: Any) -> Any:
    return setting.values.index(value) if setting.values else value


def _meant(setting: Setting, value: Any) -> Any:
    return setting.values[value] if setting.values else value
