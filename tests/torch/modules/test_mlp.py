import cloudpickle
import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from garage_like.torch.modules import MLP

INPUTS = torch.linspace(-3, 3, 12).view(4, 3)
KNOWN = [
    nn.Tanh,
    nn.ReLU,
    nn.Sigmoid,
    nn.ELU,
    nn.Softplus,
    nn.SiLU,
    nn.Identity,
    nn.Tanh(),
    torch.tanh,
    torch.relu,
    torch.sigmoid,
    nn.functional.relu,
    nn.functional.silu,
    None,
]


def double_sine(x):
    return 2.0 * torch.sin(x)


UNKNOWN = [double_sine, torch.sin, nn.ELU(alpha=2.0), nn.GELU, nn.Softsign]


def shown(nonlinearity):
    """Name a test the same in every process: no addresses."""
    return getattr(nonlinearity, "__name__", None) or str(nonlinearity)


@pytest.mark.parametrize("nonlinearity", KNOWN, ids=shown)
def test_numpy_computes_what_torch_does(nonlinearity):
    network = MLP(3, 2, (8, 5), nonlinearity, output_nonlinearity=nonlinearity)
    outputs = torch.from_numpy(network.to_numpy()(INPUTS.numpy()))
    assert_close(outputs, network(INPUTS).detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nonlinearity", UNKNOWN, ids=shown)
def test_what_numpy_cannot_do_is_left_to_torch(nonlinearity):
    network = MLP(3, 2, (8,), nonlinearity)
    assert network.to_numpy() is None
    assert MLP(3, 2, (8,), nn.Tanh, output_nonlinearity=nonlinearity).to_numpy() is None
    hidden = nonlinearity() if isinstance(nonlinearity, type) else nonlinearity
    expected = network.output(hidden(network.hidden[0](INPUTS)))
    assert_close(network(INPUTS), expected)


def test_a_network_without_hidden_layers_is_linear():
    network = MLP(3, 2, ())
    assert_close(network(INPUTS), network.output(INPUTS))
    assert_close(torch.from_numpy(network.to_numpy()(INPUTS.numpy())), network(INPUTS).detach())


def test_numpy_sees_every_update():
    network = MLP(3, 2, (8,))
    in_numpy = network.to_numpy()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.25)
    outputs = torch.from_numpy(in_numpy(INPUTS.numpy()))
    assert_close(outputs, network(INPUTS).detach(), rtol=1e-5, atol=1e-6)


def test_layers_can_be_normalized():
    network = MLP(3, 2, (8,), torch.tanh, layer_normalization=True)
    hidden = nn.functional.layer_norm(network.hidden[0](INPUTS), (8,))
    assert_close(network(INPUTS), network.output(torch.tanh(hidden)))
    assert network.to_numpy() is None


def test_initializers_fill_the_layers_that_they_are_for():
    network = MLP(
        3,
        2,
        (8,),
        hidden_w_init=nn.init.ones_,
        hidden_b_init=lambda tensor: nn.init.constant_(tensor, 2.0),
        output_w_init=nn.init.zeros_,
        output_b_init=lambda tensor: nn.init.constant_(tensor, 3.0),
    )
    found = [parameter.unique().tolist() for parameter in network.parameters()]
    assert found == [[1.0], [2.0], [0.0], [3.0]]


@pytest.mark.parametrize("nonlinearity", [torch.tanh, double_sine])
def test_a_pickled_network_computes_the_same(nonlinearity):
    network = MLP(3, 2, (8,), nonlinearity)
    twin = cloudpickle.loads(cloudpickle.dumps(network))
    assert torch.equal(twin(INPUTS), network(INPUTS))


@pytest.mark.parametrize("nonlinearity", ["tanh", int, 3])
def test_what_is_no_nonlinearity_is_refused(nonlinearity):
    with pytest.raises(TypeError, match=r"hidden_nonlinearity must be a torch\.nn\.Module"):
        MLP(3, 2, (8,), nonlinearity)


def test_hidden_sizes_must_be_positive():
    with pytest.raises(ValueError, match=r"positive integers, one for each layer, got \(8, 0\)"):
        MLP(3, 2, (8, 0))


def change_of(network: MLP, kind: str) -> None:
    """Replace a part of a network, or the memory of one."""
    if kind == "memory":
        network.output.weight.data = 2.0 * network.output.weight.data
    elif kind == "parameter":
        network.hidden[0].bias = nn.Parameter(torch.ones(8))
    elif kind == "layer":
        network.output = nn.Linear(8, 2)
    else:
        network.hidden_nonlinearity = nn.ReLU()


@pytest.mark.parametrize("kind", ["memory", "parameter", "layer", "nonlinearity"])
def test_numpy_form_is_kept_until_a_part_is_replaced(kind):
    network = MLP(3, 2, (8,))
    before = network.to_numpy()
    assert network.to_numpy() is before
    change_of(network, kind)
    with torch.no_grad():
        np.testing.assert_allclose(
            network.to_numpy()(INPUTS.numpy()), network(INPUTS).numpy(), rtol=1e-5, atol=1e-6
        )
