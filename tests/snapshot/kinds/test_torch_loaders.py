"""A DataLoader whose workers live on goes on with the order in which it would have gone on."""

import gc

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from garage_like.errors import SnapshotSaveError
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.pickling import copy_exactly
from garage_like.snapshot.rng import hidden_random_numbers

DATA = TensorDataset(torch.arange(12))


def order(loader):
    return torch.cat([x for (x,) in loader]).tolist()


def test_order_of_a_loader_goes_on_and_its_workers_are_said_to_begin_anew():
    loader = DataLoader(DATA, 3, shuffle=True, num_workers=1, persistent_workers=True)
    order(loader)
    state = torch.get_rng_state()
    found = copy_exactly(copy_exactly(loader))
    assert "persistent_workers=True" in hidden_random_numbers()[0]
    expected = [order(loader), order(loader)]
    torch.set_rng_state(state)
    assert [order(found), order(found)] == expected
    assert len(set(map(str, expected))) == 2
    del loader, found
    gc.collect()
    assert hidden_random_numbers() == []


def test_place_within_an_epoch_of_a_loader_cannot_be_saved():
    going = iter(DataLoader(DATA, 3, shuffle=True))
    next(going)
    with pytest.raises(SnapshotSaveError, match="algo cannot be pickled"):
        capture({"algo": going})
