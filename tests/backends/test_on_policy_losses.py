"""Both backends compute the same losses and gradients on the same weights and the same batch."""

from importlib import import_module

import gymnasium
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.distributions import kl_divergence

from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines import LinearFeatureBaseline
from garage_like.torch.value_functions import GaussianMLPValueFunction

OBSERVATIONS = gymnasium.spaces.Box(-1.0, 1.0, (5,))
SPECS = {
    "categorical": EnvSpec(OBSERVATIONS, gymnasium.spaces.Discrete(4)),
    "gaussian": EnvSpec(OBSERVATIONS, gymnasium.spaces.Box(-1.0, 1.0, (3,))),
}
ROWS = 200
RELATIVE = 1e-5
REGULARIZED = {"entropy_method": "regularized", "policy_ent_coeff": 0.1}


@pytest.fixture(params=sorted(SPECS))
def spec(request):
    return SPECS[request.param]


def batch(spec):
    """Return observations, actions, advantages and old log-probabilities of ROWS env steps."""
    rng = np.random.default_rng(1)
    observations = rng.uniform(-1, 1, (ROWS, 5)).astype(np.float32)
    actions = rng.normal(size=(ROWS, 3)).astype(np.float32)
    if spec.is_discrete:
        actions = rng.integers(4, size=ROWS)
    advantages, noise = rng.normal(size=(2, ROWS)).astype(np.float32)
    return observations, actions, advantages, 0.3 * noise


def copy_weights(mlp, other):
    """Give the TensorFlow network the weights of the torch one."""
    for (weight, bias), layer in zip(other.layers, [*mlp.hidden, mlp.output], strict=True):
        weight.assign(layer.weight.detach().numpy().T)
        bias.assign(layer.bias.detach().numpy())


def in_both(name, spec, **options):
    """Make an algorithm in both backends, on the same weights."""
    torch.manual_seed(0)
    cls = "CategoricalMLPPolicy" if spec.is_discrete else "GaussianMLPPolicy"
    # Imported here, since collecting the tests loads no TensorFlow.
    rooms = [import_module(f"garage_like.{backend}.policies") for backend in ("torch", "tf")]
    policies = [getattr(room, cls)(spec) for room in rooms]
    copy_weights(policies[0].mlp, policies[1].mlp)
    rooms = [import_module(f"garage_like.{backend}.algos") for backend in ("torch", "tf")]
    return [
        getattr(room, name)(spec, policy, LinearFeatureBaseline(spec), None, **options)
        for room, policy in zip(rooms, policies, strict=True)
    ]


def as_torch_gradients(policy, gradients):
    """Lay TensorFlow's gradients out as torch does: weights transposed, in torch's order."""
    found = {id(v): g for v, g in zip(policy.trainable_variables, gradients, strict=True)}
    layers = [v for weight_and_bias in policy.mlp.layers for v in weight_and_bias]
    std = getattr(policy, "std_parameter", None)
    first = [] if std is None else [found[id(std)]]
    return np.concatenate(
        [np.ravel(np.transpose(g)) for g in [*first, *(found[id(v)] for v in layers)]]
    )


def in_torch(algo, compute):
    """Return a scalar and its gradients, standard deviations first."""
    value = compute()
    parameters = dict(algo.policy.named_parameters())
    names = sorted(parameters, key=lambda name: name != "std_parameter")
    gradients = torch.autograd.grad(value, [parameters[name] for name in names])
    return value.item(), np.concatenate([gradient.numpy().ravel() for gradient in gradients])


def in_tf(algo, compute):
    from garage_like.tf.quiet_import import tf

    with tf.GradientTape() as tape:
        value = compute()
    gradients = tape.gradient(value, algo.policy.trainable_variables)
    return float(value), as_torch_gradients(algo.policy, gradients)


def assert_same(ours, theirs):
    assert theirs[0] == pytest.approx(ours[0], rel=RELATIVE)
    scale = np.abs(ours[1]).max()
    assert scale > 1e-4
    assert_allclose(theirs[1], ours[1], rtol=RELATIVE, atol=RELATIVE * scale)


@pytest.mark.parametrize(
    "options", [{}, {"entropy_method": "regularized", "policy_ent_coeff": 0.1}]
)
@pytest.mark.parametrize("name", ["VPG", "PPO", "TRPO"])
def test_losses_of_policies_agree(name, options, spec):
    ours, theirs = in_both(name, spec, **options)
    observations, actions, advantages, shift = batch(spec)
    tensors = [torch.from_numpy(array) for array in (observations, actions, advantages)]
    with torch.no_grad():
        log_probs = ours.policy(tensors[0])[0].log_prob(tensors[1]).numpy()
    old = log_probs + shift
    assert_same(
        in_torch(ours, lambda: ours._loss(*tensors, torch.from_numpy(old))),
        in_tf(theirs, lambda: theirs._loss(observations, actions, advantages, old)),
    )


def test_constraints_of_trpo_agree(spec):
    ours, theirs = in_both("TRPO", spec)
    observations, *_ = batch(spec)
    tensor = torch.from_numpy(observations)
    with torch.no_grad():
        old_in_torch = ours.policy(tensor)[0]
    old_in_tf = theirs.policy(observations)[0].detached()
    for parameter in ours.policy.parameters():
        parameter.data += 0.1
    for variable in theirs.policy.trainable_variables:
        variable.assign_add(0.1 * np.ones(variable.shape, np.float32))
    assert_same(
        in_torch(ours, lambda: kl_divergence(old_in_torch, ours.policy(tensor)[0]).mean()),
        in_tf(theirs, lambda: theirs._mean_kl(old_in_tf, observations)),
    )


def test_losses_of_baselines_agree():
    from garage_like.tf.baselines import GaussianMLPBaseline

    spec = SPECS["categorical"]
    ours, theirs = (
        GaussianMLPValueFunction(spec, init_std=0.7),
        GaussianMLPBaseline(spec, init_std=0.7),
    )
    copy_weights(ours.mlp, theirs.mlp)
    observations, _, returns, _ = batch(spec)
    expected = ours.compute_loss(torch.from_numpy(observations), torch.from_numpy(returns))
    assert float(theirs.compute_loss(observations, returns)) == pytest.approx(
        expected.item(), rel=RELATIVE
    )


def test_updates_of_trpo_agree(spec):
    ours, theirs = in_both("TRPO", spec)
    observations, actions, advantages, _ = batch(spec)
    tensors = [torch.from_numpy(array) for array in (observations, actions, advantages)]
    with torch.no_grad():
        old = ours.policy(tensors[0])[0]
    ours._train_policy(old, *tensors, old.log_prob(tensors[1]))
    metrics = theirs._improve_policy(np.zeros((1, 0), np.int32), observations, actions, advantages)
    with torch.no_grad():
        new = ours.policy(tensors[0])[0]
        loss = ours._loss(*tensors, old.log_prob(tensors[1])).item()
        kl = kl_divergence(old, new).mean().item()
    # Ten iterations of conjugate gradients in single precision multiply what differs by rounding.
    assert float(metrics[1]) == pytest.approx(loss, rel=0.02)
    assert float(metrics[2]) == pytest.approx(kl, rel=0.02)
