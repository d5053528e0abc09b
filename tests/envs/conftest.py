import pytest


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    pass
