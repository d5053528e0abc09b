"""Loading what a run has learned, to evaluate it or to use it elsewhere.

Nothing here writes, starts workers or reads replay memory. `load_algo`, `load_policy` and
`load_env` build the objects that were saved; `load_weights` copies arrays alone into objects that
are there, and runs no code of the snapshot. Going on training is the Trainer's: `restore` and
`resume`.
"""

from typing import TYPE_CHECKING

from garage_like import lazy

if TYPE_CHECKING:
    from garage_like.loading.objects import load_algo as load_algo
    from garage_like.loading.objects import load_env as load_env
    from garage_like.loading.objects import load_policy as load_policy
    from garage_like.loading.weights import LoadReport as LoadReport
    from garage_like.loading.weights import load_weights as load_weights

__getattr__, __dir__, __all__ = lazy.names(__name__)
