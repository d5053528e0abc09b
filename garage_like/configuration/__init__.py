"""The arguments that a run was made with: remembered, shown as plain values, compared."""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.configuration.configured import Configured as Configured

__getattr__, __dir__, __all__ = lazy.names(__name__)
