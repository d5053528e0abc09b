"""Small tensors that captures meet again and again: pickled as one buffer, restored one by one."""

import random

import numpy as np
import pytest
import torch

from garage_like.snapshot.capture import capture, load_graph
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.disk.tensors import parse
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.graph.walk import leaves


class Algo:
    def __init__(self):
        torch.manual_seed(1)
        self.policy = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(12)))
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=0.1)
        self.counts = [torch.tensor([number]) for number in range(8)]
        self.step()

    def step(self, keep_gradients=False):
        self.optimizer.zero_grad()
        self.policy(torch.ones(2, 3)).square().sum().backward()
        self.optimizer.step()
        if not keep_gradients:
            self.optimizer.zero_grad()


class Captures:
    """Capture after capture of one run."""

    def __init__(self, algo, number=0):
        self.algo, self._known = algo, KnownNames()
        for _ in range(number):
            self.take()

    def take(self):
        return capture({"algo": self.algo}, known_names=self._known)


def is_block(captured):
    return b"rebuild_block" in captured.objects


def files_of(captured):
    return {
        name: bytearray(b"".join(bytes(memoryview(p).cast("B")) for p in pieces))
        for name, pieces in captured.files.items()
    }


def tensors_of(captured):
    return {
        (path, name): bytes(tensor.content)
        for path, content in files_of(captured).items()
        if path != "objects.pkl"
        for name, tensor in parse(content, path).items()
    }


def reload(captured):
    manifest = Manifest(epoch=0, arrays=captured.arrays)
    return load_graph(manifest, files_of(captured), "epoch_000000")["algo"]


def check(captured, algo):
    """Check that what comes back, and what is shown in files, is as if there were no blocks."""
    assert leaves({"algo": reload(captured)}) == leaves({"algo": algo})
    assert tensors_of(captured) == tensors_of(capture({"algo": algo}))


def check_unseen(captured, algo):
    """Check the same, but look at no tensor's memory, which would leave it out of blocks."""
    alone = capture({"algo": algo})
    assert not is_block(alone)
    assert leaves({"algo": reload(captured)}) == leaves({"algo": reload(alone)})
    assert tensors_of(captured) == tensors_of(alone)


@pytest.fixture
def algo():
    return Algo()


def test_third_capture_pickles_what_two_have_met(algo):
    captures = Captures(algo)
    assert [is_block(captures.take()) for _ in range(4)] == [False, False, True, True]
    assert not is_block(capture({"algo": algo})), "of one capture alone nothing is known"


@pytest.mark.parametrize("keep_gradients", [False, True])
def test_run_comes_back_and_goes_on_bit_for_bit(algo, keep_gradients):
    captures = Captures(algo, 3)
    algo.step(keep_gradients)
    captured = captures.take()
    assert is_block(captured)
    check(captured, algo)
    restored = reload(captured)
    parameters = list(restored.policy.parameters())
    held = restored.optimizer.param_groups[0]["params"]
    assert all(a is b for a, b in zip(parameters, held, strict=True))
    assert all(p.untyped_storage().nbytes() == p.nbytes for p in parameters)
    for _ in range(3):
        algo.step()
        restored.step()
    assert leaves({"algo": restored}) == leaves({"algo": algo})


def test_what_looks_at_a_tensor_of_a_block_goes_on_doing_so(algo):
    weight, other = algo.policy[3].weight, algo.policy[4].bias
    captures = Captures(algo, 3)
    algo.row, algo.array = weight.detach()[1], other.detach().numpy()
    captured = captures.take()
    assert is_block(captured)
    restored = reload(captured)
    assert leaves({"algo": restored}) == leaves({"algo": algo})
    algo.storage = algo.policy[5].bias.untyped_storage()
    restored = reload(captures.take())
    restored.row[0], restored.array[1] = 7.0, 8.0
    assert restored.policy[3].weight[1, 0] == 7.0
    assert restored.policy[4].bias[1] == 8.0
    assert restored.storage.data_ptr() == restored.policy[5].bias.data_ptr()


def test_arrays_that_hold_a_tensors_memory_stay_its_holders(algo):
    algo.memory = np.arange(12, dtype=np.float32)
    algo.parts = [torch.from_numpy(algo.memory[start : start + 2]) for start in range(0, 12, 2)]
    captured = Captures(algo, 3).take()
    assert is_block(captured)
    restored = reload(captured)
    restored.memory[2] = 99.0
    assert restored.parts[1][0] == 99.0


def test_what_is_no_longer_met_is_no_longer_saved(algo):
    gone = algo.counts
    captures = Captures(algo, 3)
    algo.counts = None
    captured = captures.take()
    check(captured, algo)
    assert not any("unnamed" in name for _, name in tensors_of(captured))
    algo.counts = gone
    assert is_block(captures.take())


def test_blocks_end_where_tensors_come_and_go(algo):
    come_and_go, captures = algo.counts, Captures(algo, 3)
    for _ in range(3):
        algo.counts = None
        check(captures.take(), algo)
        algo.counts = come_and_go
        captures.take(), captures.take(), captures.take()
    assert not is_block(captures.take())


def another_memory(tensor):
    tensor.data = torch.ones(2, 2)


def another_type(tensor):
    tensor.data = tensor.data.double()


def an_attribute(tensor):
    tensor.told = "this"


def no_gradient(tensor):
    tensor.requires_grad_(False)


def part_of_another(tensor):
    tensor.data = torch.arange(20.0)[3:12].view(3, 3)


def turned(tensor):
    tensor.data = tensor.data.t()


def a_hook(tensor):
    tensor.register_hook(print)


CHANGES = [another_memory, another_type, an_attribute, no_gradient, part_of_another, turned, a_hook]


@pytest.mark.parametrize("change", CHANGES)
def test_tensor_that_has_changed_is_saved_as_it_is_now(algo, change):
    captures = Captures(algo, 3)
    change(algo.policy[2].weight)
    captured = captures.take()
    assert is_block(captured)
    check(captured, algo)
    if change is an_attribute:
        assert reload(captured).policy[2].weight.told == "this"
    if change is a_hook:
        assert reload(captured).policy[2].weight._backward_hooks
    check(captures.take(), algo)


def swap_networks(algo):
    algo.policy, algo.target = algo.target, algo.policy


def swap_layers_that_lie_side_by_side(algo):
    algo.policy[0], algo.policy[1] = algo.policy[1], algo.policy[0]


def swap_with_an_array(algo):
    algo.counts[1], algo.array = algo.array, algo.counts[1]


@pytest.mark.parametrize(
    "swap", [swap_networks, swap_layers_that_lie_side_by_side, swap_with_an_array]
)
def test_tensors_of_a_block_that_change_places_are_called_by_these(algo, swap):
    algo.target = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(12)))
    algo.counts, algo.array = algo.counts[:2], np.arange(1)
    captures = Captures(algo, 3)
    swap(algo)
    captured = captures.take()
    assert is_block(captured)
    check_unseen(captured, algo)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_changes(algo, seed):
    random.seed(seed)
    captures, kept, num_blocks = Captures(algo), [], 0
    for _ in range(25):
        action = random.choice(["step", "grow", "shrink", "change", "swap", "none"])
        if action == "step":
            algo.step(keep_gradients=random.random() < 0.5)
        elif action == "grow":
            algo.counts.append(torch.randn(random.randint(1, 5)))
        elif action == "shrink" and algo.counts:
            kept.append(algo.counts.pop(random.randrange(len(algo.counts))))
        elif action == "change" and algo.counts:
            random.choice([another_memory, turned, another_type])(algo.policy[1].weight)
            algo.optimizer.state.pop(algo.policy[1].weight, None)
            algo.policy[1].weight.data = torch.ones(3, 3)
        elif action == "swap":
            algo.counts.reverse()
        captured = captures.take()
        num_blocks += is_block(captured)
        check_unseen(captured, algo)
    assert num_blocks >= 3
    check(captures.take(), algo)
