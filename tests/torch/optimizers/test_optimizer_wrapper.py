import cloudpickle
import numpy as np
import pytest
import torch
from torch import nn

from garage_like.torch.optimizers import OptimizerWrapper


def make(optimizer=torch.optim.Adam, **options):
    torch.manual_seed(0)
    module = nn.Linear(3, 1)
    return module, OptimizerWrapper(optimizer, module, **options)


def squared_error(module):
    def loss(inputs, targets):
        return (module(inputs).squeeze(-1) - targets).square().mean()

    return loss


DATA = torch.arange(30.0).view(10, 3) / 30.0, torch.arange(10.0)


def rows(minibatches):
    return [minibatch[1].tolist() for minibatch in minibatches]


def test_all_rows_come_in_order_at_once_unless_a_size_is_given():
    _, wrapper = make(max_optimization_epochs=2)
    assert rows(wrapper.get_minibatch(*DATA)) == [DATA[1].tolist()] * 2


def test_each_pass_has_every_row_once_in_a_new_order():
    _, wrapper = make(max_optimization_epochs=2, minibatch_size=5)
    first, second, third, fourth = rows(wrapper.get_minibatch(*DATA))
    assert sorted(first + second) == sorted(third + fourth) == DATA[1].tolist()
    assert first + second != third + fourth


def test_rows_of_all_tensors_stay_together():
    _, wrapper = make(minibatch_size=4)
    for inputs, targets in wrapper.get_minibatch(*DATA):
        assert torch.equal(inputs, DATA[0][targets.long()])


def test_no_minibatch_is_a_small_remainder():
    _, wrapper = make(minibatch_size=9)
    assert [len(minibatch) for minibatch in rows(wrapper.get_minibatch(*DATA))] == [5, 5]


def test_shuffling_draws_nothing_from_torch_or_numpy():
    _, wrapper = make(minibatch_size=2)
    torchs, numpys = torch.get_rng_state(), np.random.get_state()[1].copy()
    list(wrapper.get_minibatch(*DATA))
    assert torch.equal(torchs, torch.get_rng_state())
    assert np.array_equal(numpys, np.random.get_state()[1])


def test_one_step_of_gradient_descent_worked_by_hand():
    module, wrapper = make((torch.optim.SGD, {"lr": 0.1}))
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    wrapper.minimize(squared_error(module), torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([3.0]))
    # The gradient of (w x + b - 3)^2 at 0 is -6 x and -6.
    assert module.weight.tolist() == pytest.approx([pytest.approx([0.6, 0.0, 1.2])])
    assert module.bias.tolist() == pytest.approx([0.6])


def test_minimizing_lowers_the_loss():
    module, wrapper = make(
        (torch.optim.Adam, {"lr": 0.1}), max_optimization_epochs=200, minibatch_size=5
    )
    loss = squared_error(module)
    wrapper.minimize(loss, *DATA)
    assert loss(*DATA).item() < 0.1


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD])
def test_a_pickled_pair_goes_on_the_same(optimizer):
    pair = make((optimizer, {"lr": 0.01}), max_optimization_epochs=3, minibatch_size=3)
    pair[1].minimize(squared_error(pair[0]), *DATA)
    twins = cloudpickle.loads(cloudpickle.dumps(pair))
    for module, wrapper in (pair, twins):
        wrapper.minimize(squared_error(module), *DATA)
    assert torch.equal(pair[0].weight, twins[0].weight)
    assert torch.equal(pair[0].bias, twins[0].bias)


@pytest.mark.parametrize(("options", "fused"), [({}, True), ({"foreach": True}, None)])
def test_adam_is_fused_unless_told_otherwise(options, fused):
    _, wrapper = make((torch.optim.Adam, {"lr": 0.01, **options}))
    assert wrapper.optimizer.param_groups[0]["fused"] is fused


def test_fused_adam_takes_the_steps_of_the_plain_one():
    weights = []
    for fused in (True, False):
        module, wrapper = make(
            (torch.optim.Adam, {"lr": 0.01, "fused": fused}), max_optimization_epochs=5
        )
        wrapper.minimize(squared_error(module), *DATA)
        weights.append(module.weight)
    torch.testing.assert_close(*weights)


@pytest.mark.parametrize("optimizer", ["Adam", nn.Linear, (torch.optim.Adam, 0.1), None])
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(TypeError, match=r"class or a pair \(class, dict of keyword arguments\)"):
        make(optimizer)


@pytest.mark.parametrize("name", ["max_optimization_epochs", "minibatch_size"])
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1"):
        make(**{name: 0})


def test_minimizing_keeps_no_gradients():
    module, wrapper = make()
    wrapper.minimize(squared_error(module), *DATA)
    assert [parameter.grad for parameter in module.parameters()] == [None, None]
