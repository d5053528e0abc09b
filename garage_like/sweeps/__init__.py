"""Sweeps: many runs of one script, each an ordinary run; killed anywhere, a sweep goes on."""

from garage_like.sweeps.settings import Setting, parse_setting
from garage_like.sweeps.sweep import Outcome, Sweep

__all__ = ["Outcome", "Setting", "Sweep", "parse_setting"]
