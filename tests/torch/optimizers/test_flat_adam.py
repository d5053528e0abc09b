import copy

import pytest
import torch
from torch import nn

from garage_like.torch.optimizers import OptimizerWrapper
from garage_like.torch.optimizers.flat_memory import flat_view, lay_flat


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def loss_of(module: nn.Module, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return module(torch.randn(7, 3, generator=generator)).square().mean()


def take_steps(module, optimizer, seeds) -> None:
    for seed in seeds:
        optimizer.zero_grad()
        loss_of(module, seed).backward()
        optimizer.step()


def state_of(module, optimizer) -> list[torch.Tensor]:
    slots = [optimizer.state[p] for p in module.parameters()]
    return [*module.parameters(), *(t for one in slots for t in one.values())]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.Adam, {"lr": 0.01}),
        (torch.optim.Adam, {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.1}),
        (torch.optim.AdamW, {"lr": 0.02, "eps": 1e-3, "maximize": True}),
    ],
)
def test_steps_are_those_of_the_torch_optimizer(kind, options):
    ours, theirs = network(), network()
    wrapper = OptimizerWrapper((kind, options), ours)
    native = kind(theirs.parameters(), fused=True, **options)
    take_steps(ours, wrapper, range(5))
    take_steps(theirs, native, range(5))
    assert wrapper.flat_adam() is not None
    for own, other in zip(state_of(ours, wrapper.optimizer), state_of(theirs, native), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-6, atol=1e-7)


def test_parameters_and_slots_lie_together_under_the_optimizers_own_names():
    module = network()
    wrapper = OptimizerWrapper(torch.optim.Adam, module)
    take_steps(module, wrapper, [1])
    parameters = list(module.parameters())
    assert wrapper.optimizer.param_groups[0]["params"] == parameters
    assert flat_view(parameters) is not None
    for name in ("step", "exp_avg", "exp_avg_sq"):
        assert flat_view([wrapper.optimizer.state[p][name] for p in parameters]) is not None


def test_a_state_dict_that_is_loaded_takes_effect():
    first, second = network(), network()
    ahead, behind = (OptimizerWrapper(torch.optim.Adam, m) for m in (first, second))
    take_steps(first, ahead, range(3))
    take_steps(second, behind, [9])
    second.load_state_dict(first.state_dict())
    behind.optimizer.load_state_dict(copy.deepcopy(ahead.optimizer.state_dict()))
    take_steps(first, ahead, [4])
    take_steps(second, behind, [4])
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))  # noqa: B905


def test_parameters_that_another_optimizer_moved_elsewhere_are_found_again():
    module = network()
    whole = OptimizerWrapper((torch.optim.Adam, {"lr": 0.01}), module)
    part = OptimizerWrapper((torch.optim.Adam, {"lr": 0.01}), nn.ModuleList([module[2]]))
    before = [p.detach().clone() for p in module.parameters()]
    for wrapper in (whole, part, whole):
        take_steps(module, wrapper, [1])
    moved = [not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True)]
    assert moved == [True] * 4
    assert [float(whole.optimizer.state[p]["step"]) for p in module.parameters()] == [2.0] * 4


def test_gradients_that_were_set_by_hand_are_followed():
    module = network()
    wrapper = OptimizerWrapper((torch.optim.Adam, {"lr": 0.01}), module)
    before = module[0].weight.detach().clone()
    module[0].weight.grad = torch.ones_like(module[0].weight)
    wrapper.step()
    torch.testing.assert_close(module[0].weight, before - 0.01)


@pytest.mark.parametrize(
    "optimizer",
    [
        torch.optim.SGD,
        (torch.optim.Adam, {"amsgrad": True}),
        (torch.optim.Adam, {"foreach": True}),
        (torch.optim.Adam, {"fused": False}),
    ],
)
def test_what_is_no_plain_adam_steps_by_itself(optimizer):
    module = network()
    wrapper = OptimizerWrapper(optimizer, module)
    before = module[0].weight.detach().clone()
    take_steps(module, wrapper, [1])
    assert wrapper.flat_adam() is None
    assert not torch.equal(before, module[0].weight)


def test_a_scheduler_of_torch_counts_steps_and_changes_the_rate():
    module = network()
    wrapper = OptimizerWrapper((torch.optim.Adam, {"lr": 0.5}), module)
    scheduler = torch.optim.lr_scheduler.StepLR(wrapper.optimizer, 1, gamma=0.1)
    take_steps(module, wrapper, [1])
    scheduler.step()
    assert wrapper.optimizer.param_groups[0]["lr"] == pytest.approx(0.05)


def test_frozen_parameters_stay():
    module = network()
    module[0].weight.requires_grad_(False)
    wrapper = OptimizerWrapper((torch.optim.Adam, {"lr": 0.5}), module)
    before = module[0].weight.clone()
    take_steps(module, wrapper, [1])
    assert torch.equal(before, module[0].weight)


def test_tensors_that_lie_apart_are_moved_together_with_their_values():
    tensors = [torch.arange(3.0), torch.ones(2, 2).t(), torch.tensor(5.0)]
    flat = lay_flat(tensors)
    assert flat.tolist() == [0, 1, 2, 1, 1, 1, 1, 5]
    flat.mul_(2.0)
    assert [tensor.sum().item() for tensor in tensors] == [6.0, 8.0, 10.0]
    assert lay_flat(tensors).data_ptr() == flat.data_ptr()
