"""torch tensors come back with their bits, ties, identity, gradients and hooks."""

import ctypes

import numpy as np
import pytest
import torch

from garage_like.snapshot.kinds.torch_arrays import tensor_bytes

GENERATOR = torch.Generator().manual_seed(4)


def normal(*shape):
    return torch.randn(shape, generator=GENERATOR)


def same_bits(found, expected):
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.stride() == expected.stride()
    assert found.requires_grad == expected.requires_grad
    assert tensor_bytes(found) == tensor_bytes(expected)


TENSORS = {
    "float32": normal(3, 4),
    "float64": normal(3).double(),
    "float16": normal(3).half(),
    "bfloat16": normal(5).bfloat16(),
    "complex64": torch.complex(normal(3), normal(3)),
    "conjugate": torch.complex(normal(3), normal(3)).conj(),
    "negative view": torch.complex(normal(3), normal(3)).conj().imag,
    "bool": normal(9) > 0,
    "int8": torch.arange(-3, 3, dtype=torch.int8),
    "0-d": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "transposed": normal(3, 4).t(),
    "expanded": normal(1).expand(5),
    "narrow": normal(10)[2:6],
    "strided": normal(10)[::3],
    "channels last": normal(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "parameter": torch.nn.Parameter(normal(3)),
    "frozen parameter": torch.nn.Parameter(normal(3), requires_grad=False),
    "leaf with gradient wanted": normal(2).requires_grad_(),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensor_comes_back_bit_for_bit(name, reload):
    same_bits(reload(TENSORS[name]), TENSORS[name])


def test_sparse_tensor_comes_back(reload):
    assert torch.equal(reload(torch.eye(4).to_sparse()).to_dense(), torch.eye(4))


@pytest.mark.filterwarnings("ignore:.*prototype")
def test_tensors_of_different_lengths_in_one_come_back(reload):
    rows = [normal(2), normal(3)]
    for layout in (torch.strided, torch.jagged):
        found = reload(torch.nested.nested_tensor(rows, layout=layout)).unbind()
        assert [row.tolist() for row in found] == [row.tolist() for row in rows]


def test_tensor_without_memory_comes_back(reload):
    found = reload(torch.empty(3, device="meta"))
    assert (found.is_meta, found.shape) == (True, (3,))


def test_tied_parameters_stay_tied(reload):
    first, second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    second.weight = first.weight
    found_first, found_second = reload([first, second])
    assert found_first.weight is found_second.weight


def test_views_of_one_storage_go_on_sharing_it(reload):
    base = torch.zeros(10)
    low, high, whole = reload([base[:6], base[4:], base])
    whole[5] = 3.0
    assert low[5] == high[1] == 3.0


def test_tensor_views_of_other_types_go_on_sharing(reload):
    base = torch.zeros(4)
    as_integers, found = reload([base.view(torch.int32), base])
    found[0] = 1.0
    assert as_integers[0] == np.float32(1.0).view(np.int32)


def test_optimizer_goes_on_stepping_the_parameters_of_its_network(reload):
    def step(network, optimizer):
        optimizer.zero_grad()
        network(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()

    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    step(network, optimizer)
    found, found_optimizer = reload([network, optimizer])
    assert found_optimizer.param_groups[0]["params"][0] is found.weight
    for _ in range(3):
        step(network, optimizer)
        step(found, found_optimizer)
    assert torch.equal(found.weight, network.weight)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.Adam(p, fused=True),
        lambda p: torch.optim.AdamW(p, foreach=True),
        lambda p: torch.optim.RMSprop(p),
        lambda p: torch.optim.LBFGS(p, max_iter=3),
    ],
    ids=["SGD", "fused Adam", "foreach AdamW", "RMSprop", "LBFGS"],
)
def test_every_optimizer_continues_bit_for_bit(make, reload):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = make(network.parameters())
    inputs = torch.randn(16, 4)

    def train(network, optimizer, steps):
        for _ in range(steps):

            def loss(network=network, optimizer=optimizer):
                optimizer.zero_grad()
                value = (network(inputs) - inputs.sum(1, keepdim=True)).square().mean()
                value.backward()
                return value

            optimizer.step(loss)

    train(network, optimizer, 3)
    found, found_optimizer = reload([network, optimizer])
    train(network, optimizer, 4)
    train(found, found_optimizer, 4)
    for ours, theirs in zip(network.parameters(), found.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_schedule_of_learning_rates_goes_on(reload):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    def step(optimizer, schedule):
        optimizer.step()
        schedule.step()

    step(optimizer, schedule)
    found_optimizer, found_schedule = reload([optimizer, schedule])
    assert found_schedule.optimizer is found_optimizer
    step(found_optimizer, found_schedule)
    step(optimizer, schedule)
    assert found_optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"] == 0.25


class Remembering(torch.optim.SGD):
    """An optimizer with an attribute of its own."""

    def __init__(self, params):
        super().__init__(params, lr=0.1)
        self.steps_taken = 0


def test_optimizer_keeps_attributes_that_torch_would_drop(reload):
    optimizer = Remembering([torch.nn.Parameter(torch.zeros(1))])
    optimizer.steps_taken = 7
    assert reload(optimizer).steps_taken == 7


def test_gradient_comes_back(reload):
    parameter = torch.nn.Parameter(torch.ones(3))
    (parameter * 2).sum().backward()
    assert reload(parameter).grad.tolist() == [2, 2, 2]


def test_gradient_that_others_hold_is_the_same_tensor(reload):
    parameter = torch.nn.Parameter(torch.ones(3))
    parameter.grad = torch.zeros(3)
    found, gradient = reload([parameter, parameter.grad])
    assert found.grad is gradient


def test_attributes_of_tensors_come_back(reload):
    tensor = torch.zeros(2)
    tensor.role = "bias"
    assert reload(tensor).role == "bias"


def double(gradient):
    return gradient * 2


def halve(parameter):
    parameter.grad /= 4


def test_hooks_on_gradients_come_back(reload):
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.register_hook(double)
    parameter.register_post_accumulate_grad_hook(halve)
    found = reload(parameter)
    found.sum().backward()
    assert found.grad.tolist() == [0.5, 0.5]


def test_hook_can_be_removed_after_it_came_back(reload):
    parameter = torch.nn.Parameter(torch.zeros(2))
    found, handle = reload([parameter, parameter.register_hook(double)])
    handle.remove()
    found.sum().backward()
    assert found.grad.tolist() == [1, 1]


def test_buffers_of_modules_come_back(reload):
    module = torch.nn.BatchNorm1d(3)
    module(torch.randn(5, 3))
    module.register_buffer("unsaved", torch.ones(2), persistent=False)
    found = reload(module)
    assert torch.equal(found.running_mean, module.running_mean)
    assert torch.equal(found.unsaved, module.unsaved)


def test_generator_of_torch_goes_on_where_it_stood(reload):
    generator = torch.Generator().manual_seed(3)
    torch.randn(5, generator=generator)
    found, again = reload([generator, generator])
    assert found is again
    assert torch.equal(torch.randn(5, generator=found), torch.randn(5, generator=generator))


def test_storage_that_is_held_itself_stays_that_of_its_tensor(reload):
    tensor = torch.zeros(3)
    found, storage = reload([tensor, tensor.untyped_storage()])
    storage.fill_(1)
    assert tensor_bytes(found) == b"\x01" * 12


NUMPY_VIEWS = {
    "whole": lambda p: p.detach().numpy(),
    "transposed in NumPy": lambda p: p.detach().numpy().T,
    "transposed in torch": lambda p: p.detach().t().numpy(),
    "part": lambda p: p.detach().numpy()[1:, ::2],
    "part of a part": lambda p: p.detach()[1:].numpy()[:1],
    "as integers": lambda p: p.detach().numpy().view(np.int32),
}


@pytest.mark.parametrize("name", NUMPY_VIEWS)
@pytest.mark.parametrize("view_first", [True, False])
def test_numpy_view_of_a_tensor_goes_on_looking_at_it(name, view_first, reload):
    parameter = torch.nn.Parameter(normal(3, 4))
    view = NUMPY_VIEWS[name](parameter)
    found = reload([view, parameter] if view_first else [parameter, view])
    found_view, found_parameter = found if view_first else found[::-1]
    assert found_view.strides == view.strides
    with torch.no_grad():
        found_parameter.mul_(3)
        parameter.mul_(3)
    assert found_view.tobytes() == view.tobytes()


def test_numpy_view_keeps_the_memory_alive_on_its_own(reload):
    (view,) = reload([torch.arange(1000.0).numpy()])
    assert view.sum() == 499500.0


@pytest.mark.parametrize("array_first", [True, False])
def test_tensor_made_from_an_array_goes_on_looking_at_it(array_first, reload):
    array = np.arange(12.0).reshape(3, 4)
    tensor = torch.from_numpy(array)
    found = reload([array, tensor[1:]] if array_first else [tensor, array])
    found_array, found_tensor = found if array_first else found[::-1]
    found_array[1, 2] = 99.0
    assert 99.0 in found_tensor.flatten().tolist()
    found_tensor.fill_(5.0)
    assert found_array[2].tolist() == [5, 5, 5, 5]


def test_tensors_from_parts_of_an_array_share_it(reload):
    array = np.zeros(10, np.float32)
    whole, low, high = reload([array, torch.from_numpy(array[:6]), torch.from_numpy(array[4:])])
    low[5] = 2.0
    assert whole[5] == high[1] == 2.0


def test_parameters_kept_flat_stay_flat(reload):
    flat = torch.arange(6.0)
    weight, bias = torch.nn.Parameter(flat[:4].view(2, 2)), torch.nn.Parameter(flat[4:])
    found_weight, found_flat, found_bias = reload([weight, flat, bias])
    found_flat.zero_()
    assert found_weight.sum() == found_bias.sum() == 0


def test_smaller_tensor_on_foreign_memory_does_no_harm_to_a_bigger_one(reload):
    memory = (ctypes.c_float * 8)(*range(8))
    small = torch.frombuffer(memory, dtype=torch.float32, count=4)
    big = torch.frombuffer(memory, dtype=torch.float32)
    found_small, found_big = reload([small, big])
    assert found_big.tolist() == list(range(8))
    assert found_small.tolist() == [0, 1, 2, 3]


def test_result_of_a_computation_comes_back_as_its_numbers_and_never_loses_a_gradient(reload):
    weight = torch.ones(2, requires_grad=True)
    result = weight * 2
    found, part = reload([result, result[:1]])
    assert found.tolist() == [2, 2]
    assert found.untyped_storage().data_ptr() == part.untyped_storage().data_ptr()
    assert found.requires_grad
    assert not found.is_leaf
    with pytest.raises(RuntimeError, match=r"restored from a snapshot.*detach\(\)"):
        (found * 3).sum().backward()


@pytest.mark.parametrize(
    "norm",
    [
        torch.nn.utils.parametrizations.weight_norm,
        torch.nn.utils.parametrizations.spectral_norm,
        torch.nn.utils.weight_norm,
        torch.nn.utils.spectral_norm,
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_module_with_computed_weights_trains_on_as_it_would(norm, reload):
    def train(net, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            net(torch.ones(3)).sum().backward()
            optimizer.step()
        return net(torch.ones(3)).tolist()

    net = torch.nn.Sequential(norm(torch.nn.Linear(3, 3)), torch.nn.Tanh())
    optimizer = torch.optim.Adam(net.parameters())
    train(net, optimizer)
    found = reload((net, optimizer))
    assert type(found[0][0]).__name__ == type(net[0]).__name__
    assert isinstance(found[0][0], torch.nn.Linear)
    assert train(*found) == train(net, optimizer)


def test_restored_parameter_can_be_trained(reload):
    found = reload(torch.nn.Parameter(torch.ones(2)))
    found.sum().backward()
    assert found.is_leaf
    assert found.grad.tolist() == [1, 1]
