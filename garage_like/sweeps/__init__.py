"""Sweeps: many runs of one script, each an ordinary run; killed anywhere, a sweep goes on."""

from garage_like.sweeps.carriers import CARRIERS, slurm
from garage_like.sweeps.population import Population
from garage_like.sweeps.rungs import Rungs
from garage_like.sweeps.settings import Setting, parse_setting
from garage_like.sweeps.sweep import Sweep
from garage_like.sweeps.trials import Outcome

__all__ = [
    "CARRIERS",
    "Outcome",
    "Population",
    "Rungs",
    "Setting",
    "Sweep",
    "parse_setting",
    "slurm",
]
