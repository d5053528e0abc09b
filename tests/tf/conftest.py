import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    rng = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(rng)
