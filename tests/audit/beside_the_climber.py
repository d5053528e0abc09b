from collections.abc import Callable

import numpy as np


def drawing() -> Callable[[], np.ndarray]:
    generator = np.random.default_rng(3)  # in a closure, where no snapshot looks
    return lambda: generator.normal(size=3)


draw = drawing()
