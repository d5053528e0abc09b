import pytest
import torch


@pytest.fixture(autouse=True)
def _seed_of_the_run(seed_of_the_run):
    rng = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(rng)
