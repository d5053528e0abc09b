"""Studies: what many runs say together, with how far it can be trusted; read from their logs.

    from garage_like.studies import find, study

    find("data/local")               # in a notebook: a table, and find(...).curves() their curves
    study("data/local").aggregates() # mean, IQM and optimality gap with their intervals

Names are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.studies.estimates import Estimate as Estimate
    from garage_like.studies.estimates import iqm as iqm
    from garage_like.studies.estimates import optimality_gap as optimality_gap
    from garage_like.studies.estimates import (
        probability_of_improvement as probability_of_improvement,
    )
    from garage_like.studies.methods import Study as Study
    from garage_like.studies.methods import study as study
    from garage_like.studies.notebook import Curves as Curves
    from garage_like.studies.notebook import Runs as Runs
    from garage_like.studies.notebook import find as find
    from garage_like.studies.scores import Scores as Scores
    from garage_like.studies.scores import read_scores as read_scores

__getattr__, __dir__, __all__ = lazy.names(__name__)
