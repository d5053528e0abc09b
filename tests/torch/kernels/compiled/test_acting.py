"""Acting in C: the outputs of NumPy, the same bits whatever is beside a row and on each level."""

import copy
import pickle

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from garage_like.data.env_spec import EnvSpec
from garage_like.np import mlp as np_mlp
from garage_like.np.compiled import binding, network
from garage_like.np.compiled.network import CompiledMLP
from garage_like.torch.modules.mlp import MLP
from garage_like.torch.policies import CategoricalMLPPolicy

pytestmark = pytest.mark.skipif(
    binding.extension() is None, reason="needs the extension in C: a compiler, x86-64"
)


def perceptron(nonlinearity=nn.Tanh, hidden=(33, 20), outputs=3, **options):
    torch.manual_seed(0)
    options = {"hidden_nonlinearity": nonlinearity, "hidden_b_init": nn.init.normal_, **options}
    return MLP(5, outputs, hidden, **options)


def rows_of(count):
    return np.random.default_rng(count).normal(size=(count, 5)).astype(np.float32)


@pytest.mark.parametrize("nonlinearity", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("options", [{}, {"output_nonlinearity": nn.Tanh}])
@pytest.mark.parametrize("hidden", [(), (7,), (33, 20), (20, 40, 8)])
def test_outputs_are_those_of_torch(nonlinearity, hidden, options):
    module = perceptron(nonlinearity, hidden, **options)
    form = module.to_numpy()
    assert isinstance(form, CompiledMLP) == (nonlinearity in (nn.Tanh, nn.ReLU))
    for count in (1, 15, 16, 17, 128, 300):
        x = rows_of(count)
        with torch.no_grad():
            wanted = module(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(form(x), wanted, atol=3e-6)


@pytest.mark.parametrize("outputs", [1, 2, 3])  # few need no copy of what they are multiplied with
def test_a_rows_bits_depend_on_nothing_beside_it(outputs):
    module, x = perceptron(outputs=outputs), rows_of(300)
    form = module.to_numpy()
    together = form(x)
    with torch.no_grad():
        np.testing.assert_allclose(together, module(torch.from_numpy(x)).numpy(), atol=3e-6)
    assert [form(x[i : i + 1]).tobytes() for i in range(300)] == [row.tobytes() for row in together]
    np.testing.assert_array_equal(form(x[::7]), together[::7])  # not one after another in memory
    np.testing.assert_array_equal(form(x.astype(np.float64)), together)


@pytest.mark.parametrize("nonlinearity", [nn.Tanh, nn.ReLU])
def test_the_width_of_vectors_changes_no_bit(nonlinearity, monkeypatch):
    path = binding.extension()
    if binding.Steps(path).bits != 512:
        pytest.skip("needs a processor with AVX-512")
    found = []
    for bits in (256, 512):
        monkeypatch.setattr(network, "steps", lambda bits=bits: binding.Steps(path, bits))
        form = perceptron(nonlinearity).to_numpy()
        assert form._bits == bits
        logits, actions = form.draw(rows_of(200), np.random.default_rng(0))
        found.append((logits.tobytes(), actions.tobytes(), form(rows_of(9)).tobytes()))
    assert found[0] == found[1]


def test_weights_are_read_again_at_each_call():
    module = perceptron()
    form, x = module.to_numpy(), rows_of(4)
    before = form(x)
    with torch.no_grad():
        module.output.bias += 1.0
    assert module.to_numpy() is form
    np.testing.assert_allclose(form(x), before + 1.0, atol=1e-6)


def test_actions_are_drawn_as_often_as_probable():
    module, x = perceptron(), np.repeat(rows_of(1), 20_000, axis=0)
    logits, actions = module.to_numpy().draw(x, np.random.default_rng(0))
    probabilities = torch.from_numpy(logits[0]).softmax(0).numpy()
    shares = np.bincount(actions, minlength=3) / len(x)
    np.testing.assert_allclose(shares, probabilities, atol=0.012)
    assert actions.dtype == np.int64


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused(value):
    module = perceptron()
    with torch.no_grad():
        module.output.bias[1] = value
    with pytest.raises(ValueError, match="outputs must be finite"):
        module.to_numpy().draw(rows_of(3), np.random.default_rng(0))


def test_a_category_without_probability_is_not_drawn():
    module = perceptron()
    with torch.no_grad():
        module.output.bias[0] = -float("inf")

    class Zeros:
        @staticmethod
        def random(rows):
            return np.zeros(rows)

    assert (module.to_numpy().draw(rows_of(3), Zeros())[1] == 1).all()


def test_no_rows_have_no_outputs_and_arrays_may_lie_anywhere():
    form, x = perceptron().to_numpy(), rows_of(20)
    assert form(x[:0]).shape == (0, 3)
    assert form.draw(x[:0], np.random.default_rng(0))[1].shape == (0,)
    odd = np.frombuffer(b"\0" + x.tobytes(), np.float32, x.size, 1).reshape(x.shape)
    assert odd.ctypes.data % 4
    np.testing.assert_array_equal(form(odd), form(x))


def test_arrays_of_another_length_are_refused():
    form = perceptron().to_numpy()
    with pytest.raises(ValueError, match="as long as"):
        form(np.zeros((3, 4), np.float32))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_weights_of_their_own(again):
    module = perceptron()
    form, x = module.to_numpy(), rows_of(4)
    copied = again(form)
    before = form(x)
    with torch.no_grad():
        module.output.bias += 1.0
    np.testing.assert_array_equal(copied(x), before)


def test_who_acts_is_settled_when_a_network_is_made(monkeypatch):
    before = perceptron()
    vars(before).pop("_acts_in_c")  # as snapshots are from before there was the library
    assert isinstance(before.to_numpy(), np_mlp.MLP)
    compiled = perceptron()
    monkeypatch.setenv("GARAGE_LIKE_FAST_PATH", "numpy")
    assert isinstance(perceptron().to_numpy(), np_mlp.MLP)
    assert isinstance(compiled.to_numpy(), CompiledMLP)


def test_other_networks_act_by_numpy():
    assert isinstance(perceptron(nn.ELU).to_numpy(), np_mlp.MLP)
    assert isinstance(perceptron(hidden=[4] * 8).to_numpy(), np_mlp.MLP)
    nothing = np.zeros((3, 0), np.float32), np.zeros(3, np.float32)
    assert not network.can_take([nothing])  # which the library would divide by


def test_a_policy_draws_by_the_library():
    spec = EnvSpec(spaces.Box(-1, 1, (5,), np.float32), spaces.Discrete(3))
    policy = CategoricalMLPPolicy(spec, hidden_sizes=(8,))
    actions, infos = policy.actor().act(rows_of(6), np.random.default_rng(0))
    form = policy.mlp.to_numpy()
    np.testing.assert_array_equal(infos["logits"], form(rows_of(6)))
    np.testing.assert_array_equal(actions, form.draw(rows_of(6), np.random.default_rng(0))[1])
