"""Train from settings: a run as any other, which the same call goes on with."""

from __future__ import annotations

import os
from typing import Any

from garage_like import TFTrainer, Trainer, wrap_experiment
from garage_like.experiment.deterministic import set_seed
from garage_like.experiment.parameters import name_with
from garage_like.tuned.building import build
from garage_like.tuned.settings import Settings


def train(
    settings: Settings,
    seed: int = 1,
    log_dir: str | os.PathLike[str] | None = None,
    console: bool = True,
) -> str:
    """Train until the settings' epochs are over, and return the run directory.

    Killed, such a run goes on when the same is called for again.

    Args:
        settings: what is trained, how and for how long.
        seed: what all randomness derives from.
        log_dir: the run directory; None: below `data/local/tuned`, with a name that tells
            algorithm, environment, backend, seed, and what differs from the file.
        console: whether logs are printed too.

    Raises:
        ValueError: if a setting is of no use, or the directory holds a run with other settings.
        TypeError: if a class takes no such argument.
    """
    usual = Settings.find(settings.algorithm, settings.environment, settings.backend).values
    different = {key: value for key, value in settings.values.items() if usual.get(key) != value}
    parts = (settings.algorithm, settings.environment.replace("/", "-"), settings.backend)
    named = name_with("_".join(parts), {"seed": seed, **different})
    options = {"prefix": "tuned", "name": named, "log_dir": log_dir, "console": console}
    return tuned(
        options,
        algorithm=settings.algorithm,
        environment=settings.environment,
        backend=settings.backend,
        seed=seed,
        **settings.values,
    )


@wrap_experiment(auto_resume=True, keep_best=1, archive_launch_repo=False)
def tuned(
    ctxt: Any = None,
    *,
    algorithm: str,
    environment: str,
    backend: str,
    seed: int,
    **values: Any,
) -> str:
    """Train an algorithm on an environment."""
    set_seed(seed)
    settings = Settings(algorithm, environment, backend, values)
    if backend == "tf":
        with TFTrainer(ctxt) as trainer:
            return _run(trainer, settings)
    return _run(Trainer(ctxt), settings)


def _run(trainer: Trainer, settings: Settings) -> str:
    algorithm, env = build(settings)
    trainer.setup(algorithm, env)
    trainer.train(**settings.section("train"))
    return str(trainer.run_dir)
