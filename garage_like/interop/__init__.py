"""Weights in from other libraries, out to files, and runs to and from the Hugging Face Hub."""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.errors import MigrationError as MigrationError
    from garage_like.interop.migration import MigrationReport as MigrationReport
    from garage_like.interop.migration import migrate as migrate
    from garage_like.interop.statistics import ObservationStatistics as ObservationStatistics
    from garage_like.interop.statistics import read_vec_normalize as read_vec_normalize

__getattr__, __dir__, __all__ = lazy.names(__name__)
