"""Q-functions: their values are those of their NumPy forms and of the equations."""

import numpy as np
import pytest

from garage_like.tf.policies import DiscreteQFArgmaxPolicy
from garage_like.tf.q_functions import (
    ContinuousMLPQFunction,
    DiscreteCNNQFunction,
    DiscreteMLPQFunction,
)
from garage_like.tf.quiet_import import tf

ROWS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.mark.parametrize("dueling", [False, True])
def test_numpy_form_gives_the_same_values(dueling, discrete_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,), dueling=dueling)
    values = qf(ROWS).numpy()
    assert values.shape == (5, 4)
    np.testing.assert_allclose(qf.to_numpy()(ROWS), values, rtol=1e-5, atol=1e-6)


def test_duelling_values_are_centred_on_the_value_of_the_state(discrete_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,), dueling=True)
    assert qf.is_dueling
    outputs = qf.mlp(ROWS).numpy()
    np.testing.assert_allclose(qf(ROWS).numpy().mean(1), outputs[:, 0], rtol=1e-5, atol=1e-6)


def test_continuous_q_function_values_rows_of_both(continuous_spec):
    qf = ContinuousMLPQFunction(continuous_spec, (8,))
    actions = np.ones((5, 2), np.float32)
    values = qf(tf.constant(ROWS), tf.constant(actions))
    expected = qf.mlp(np.concatenate((ROWS, actions), 1)).numpy()
    assert values.shape == (5, 1)
    np.testing.assert_allclose(values, expected)


def test_layers_can_be_normalised(discrete_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,), layer_normalization=True)
    assert qf.to_numpy() is None
    assert qf(ROWS).shape == (5, 4)


@pytest.mark.parametrize("cls", [DiscreteMLPQFunction, DiscreteCNNQFunction])
def test_continuous_actions_are_refused(cls, continuous_spec):
    with pytest.raises(ValueError, match=f"{cls.__name__} needs actions 0 to n - 1"):
        cls(continuous_spec)


def test_policy_takes_the_best_action(discrete_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,))
    policy = DiscreteQFArgmaxPolicy(qf, discrete_spec)
    best = qf(ROWS).numpy().argmax(1).tolist()
    assert policy(ROWS).numpy().tolist() == best
    assert policy.get_actions(ROWS)[0].tolist() == best
    assert policy.get_action(ROWS[0])[0] == best[0]


def test_policy_shares_the_weights_of_its_q_function(discrete_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,))
    policy = DiscreteQFArgmaxPolicy(qf, discrete_spec)
    policy.set_param_values(np.zeros_like(policy.get_param_values()))
    assert not qf(ROWS).numpy().any()


def test_policy_of_a_continuous_environment_is_refused(discrete_spec, continuous_spec):
    qf = DiscreteMLPQFunction(discrete_spec, (8,))
    with pytest.raises(ValueError, match="DiscreteQFArgmaxPolicy needs actions 0 to n - 1"):
        DiscreteQFArgmaxPolicy(qf, continuous_spec)


@pytest.mark.parametrize(("layer", "alone"), [(0, []), (1, [3, 8]), (-2, [3, 8]), (-1, [3, 8, 6])])
def test_the_action_comes_in_beside_the_inputs_of_one_layer(continuous_spec, layer, alone):
    qf = ContinuousMLPQFunction(continuous_spec, (8, 6), action_merge_layer=layer)
    before = [] if qf.observation_mlp is None else qf.observation_mlp.layers
    sizes = [weight.shape[0] for weight, _ in before] + [w.shape[1] for w, _ in before[-1:]]
    assert sizes == alone
    assert qf.mlp.layers[0].weight.shape[0] == (alone or [3])[-1] + 2
    assert qf(ROWS, np.ones((5, 2), np.float32)).shape == (5, 1)
    assert len(qf.variables) == 6
