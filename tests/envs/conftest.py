import pytest

from garage_like import seeding


@pytest.fixture(autouse=True)
def _seed_of_the_run():
    """Start each test from one seed, and leave the process's own as it was."""
    state = seeding.seed_state()
    seeding.restore_seed_state((0, 0))
    yield
    seeding.restore_seed_state(state)
