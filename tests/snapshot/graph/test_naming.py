"""Arrays are named after the component that owns them, as code would call them."""

from typing import NamedTuple

import gymnasium
import numpy as np
import pytest
import torch

from garage_like.snapshot.graph.naming import UNNAMED, Name, component_and_key, names_of, tile
from garage_like.snapshot.kinds.arrays import View


class Algo:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Sampler(Algo):
    def obtain_samples(self):
        pass


class NumpyPolicy(Algo):
    def get_param_values(self):
        pass


def paths(graph):
    return [name.path for name in names_of(graph).values()]


def deep_network():
    return torch.nn.Sequential(torch.nn.Sequential(torch.nn.Sequential(torch.nn.Linear(2, 1))))


@pytest.mark.parametrize(
    ("path", "component", "key"),
    [
        ("algo._policy._module.0.weight", "policy", "module.0.weight"),
        ("algo.policy.weight", "policy", "weight"),
        ("algo.weights", "algo", "weights"),
        ("algo._weights", "algo", "weights"),
        ("algo", "algo", "value"),
        ("rng.torch", "rng", "torch"),
        ("env._env.state", "env", "env.state"),
        ("algo._optimizer.state[0].exp_avg", "optimizer", "state[0].exp_avg"),
        ("algo._q[0].weight", "q_0_", "weight"),
        ("algo.a b/../c.w", "a_b_", "./c.w"),
        ("gradients.algo.policy.weight", "gradients", "policy.weight"),
        ("algo.__.x", "__", "x"),
    ],
)
def test_component_and_key(path, component, key):
    assert component_and_key(path) == (component, key)


def test_component_is_always_a_safe_file_name():
    for path in ("../x", "a/b.c", "algo./etc/passwd.x", "\0.x", "algo.é.w"):
        component, _ = component_and_key(path)
        assert "/" not in component
        assert "." not in component
        assert component.isascii()


def test_parameters_are_the_policys_and_slots_the_optimizers(tensors_of):
    algo = Algo()
    network = deep_network()
    algo._policy_optimizer = torch.optim.Adam(network.parameters())
    algo._policy = network
    network(torch.ones(1, 2)).sum().backward()
    algo._policy_optimizer.step()
    algo._policy_optimizer.zero_grad()
    written = tensors_of({"algo": algo})
    assert set(written) == {"policy", "policy_optimizer"}
    assert set(written["policy"]) == {"0.0.0.weight", "0.0.0.bias"}
    assert set(written["policy_optimizer"]) == {
        f"state[{i}].{slot}" for i in (0, 1) for slot in ("step", "exp_avg", "exp_avg_sq")
    }


def test_networks_in_a_list_are_named_before_their_optimizer(tensors_of):
    algo = Algo()
    networks = [torch.nn.Linear(2, 1, bias=False) for _ in range(2)]
    algo._optimizer = torch.optim.SGD([p for n in networks for p in n.parameters()], lr=1)
    algo._qfs = networks
    assert set(tensors_of({"algo": algo})) == {"qfs_0_", "qfs_1_"}


def test_weights_are_the_policys_though_the_sampler_comes_first(tensors_of):
    policy = NumpyPolicy(weights=np.zeros(3))
    algo = Algo(_sampler=Sampler(agent=policy, buffer=np.zeros(2)), policy=policy)
    assert tensors_of({"algo": algo}) == {
        "policy": {"weights": ("F64", (3,))},
        "sampler": {"buffer": ("F64", (2,))},
    }


def test_attributes_of_a_module_that_is_the_algorithm_are_components(tensors_of):
    algo = torch.nn.Module()
    algo.policy = torch.nn.Linear(2, 1, bias=False)
    assert tensors_of({"algo": algo}) == {"policy": {"weight": ("F32", (1, 2))}}


def test_gradients_have_a_file_of_their_own(tensors_of):
    algo = Algo(policy=torch.nn.Linear(2, 1))
    algo.policy(torch.ones(1, 2)).sum().backward()
    written = tensors_of({"algo": algo})
    assert written["gradients"] == {"policy.weight": ("F32", (1, 2)), "policy.bias": ("F32", (1,))}


def test_parameters_kept_flat_are_written_under_their_own_names(tensors_of):
    algo = Algo(policy=torch.nn.Linear(2, 3))
    flat = torch.zeros(9)
    algo.policy.weight = torch.nn.Parameter(flat[:6].view(3, 2))
    algo.policy.bias = torch.nn.Parameter(flat[6:])
    algo.flat = flat
    assert tensors_of({"algo": algo}) == {
        "policy": {"weight": ("F32", (3, 2)), "bias": ("F32", (3,))}
    }


def test_numpy_parameters_kept_flat_are_written_under_their_own_names(tensors_of):
    flat = np.zeros(9)
    policy = NumpyPolicy(flat=flat, weight=flat[:6].reshape(3, 2), bias=flat[6:])
    written = tensors_of({"algo": Algo(policy=policy)})
    assert written == {"policy": {"weight": ("F64", (3, 2)), "bias": ("F64", (3,))}}


def test_numpy_views_of_weights_do_not_take_their_names(tensors_of):
    network = torch.nn.Linear(2, 3, bias=False)
    view = network.weight.detach().numpy().T
    written = tensors_of({"algo": Algo(_sampler=Sampler(w=view), actor=[view], policy=network)})
    assert written == {"policy": {"weight": ("F32", (3, 2))}}


def test_array_in_order_gives_the_name_though_its_transpose_comes_first(tensors_of):
    weights = np.zeros((2, 3))
    written = tensors_of({"algo": Algo(policy=NumpyPolicy(turned=weights.T, weights=weights))})
    assert written == {"policy": {"weights": ("F64", (2, 3))}}


def test_simulation_is_named_after_the_environment_that_holds_it(tensors_of):
    env = gymnasium.make("Hopper-v5").unwrapped
    written = tensors_of({"algo": Algo(), "env": Algo(inner=env)})
    assert "inner.data" in written["env"]
    assert set(written) == {"env"}


def test_bytes_that_no_array_names_are_written_too(tensors_of):
    memory = torch.zeros(10)
    written = tensors_of({"algo": Algo(part=memory[2:5])})
    assert written == {
        "algo": {"part": ("F32", (3,)), "part.memory": ("U8", (8,)), "part.memory#2": ("U8", (20,))}
    }


def test_arrays_with_gaps_are_written_as_the_memory_they_lie_in(tensors_of):
    assert tensors_of({"algo": Algo(every_second=np.zeros(6)[::2])}) == {
        "algo": {"every_second.memory": ("F64", (6,))}
    }
    assert tensors_of({"algo": Algo(every_second=torch.zeros(6)[::2])}) == {
        "algo": {"every_second.memory": ("U8", (24,))}
    }


def test_names_that_collide_are_told_apart(tensors_of):
    written = tensors_of({"algo": Algo(_weights=np.zeros(1), weights=np.ones(2))})
    assert sorted(written["algo"]) == ["weights", "weights#2"]
    assert sorted(shape for _, shape in written["algo"].values()) == [(1,), (2,)]


def test_components_that_collide_share_a_file(tensors_of):
    algo = Algo(_policy=NumpyPolicy(w=np.zeros(1)), policy=NumpyPolicy(w=np.zeros(2)))
    assert sorted(tensors_of({"algo": algo})["policy"]) == ["w", "w#2"]


class Remade:
    """Pickled as an array that nobody else has."""

    def __getstate__(self):
        return {"content": np.zeros(4)}


def test_arrays_made_while_pickling_have_a_file_of_their_own(tensors_of):
    assert tensors_of({"algo": Algo(part=Remade())}) == {"objects": {"unnamed": ("F64", (4,))}}


def test_objects_are_not_asked_for_copies_of_what_they_hold():
    class Big:
        def __init__(self):
            self.rows = np.zeros(3)

        def __getstate__(self):
            raise AssertionError("naming must not copy")

    assert paths({"algo": Algo(buffer=Big())}) == ["algo.buffer.rows"]


def test_generators_need_no_arrays(tensors_of):
    assert tensors_of({"algo": Algo(_rng=np.random.default_rng(0))}) == {}


class Pair(NamedTuple):
    weight: np.ndarray
    bias: np.ndarray


def test_elements_of_a_named_tuple_bear_their_names():
    layers = [Pair(np.zeros(2), np.zeros(3))]
    assert paths({"algo": Algo(policy=Algo(layers=layers))}) == [
        "algo.policy.layers[0].weight",
        "algo.policy.layers[0].bias",
    ]


def test_environment_and_its_spaces_are_named_before_the_algorithm(tensors_of):
    box = np.zeros(3)
    written = tensors_of({"algo": Algo(policy=NumpyPolicy(low=box)), "env": Algo(low=box)})
    assert written == {"env": {"low": ("F64", (3,))}}


def test_algorithm_need_not_be_an_object(tensors_of):
    assert tensors_of({"algo": {"a": np.zeros(2)}, "other": np.zeros(1)}) == {
        "algo": {"a": ("F64", (2,))},
        "other": {"value": ("F64", (1,))},
    }


def view(path, start, nbytes, axes=(0,)):
    return path, View(None, "U8", (nbytes,), start, nbytes, axes)


def tiled(nbytes, *views):
    named = [(Name(place, path), view) for place, (path, view) in enumerate(views)]
    return [name.path for name, _ in tile(named, nbytes)]


def test_smaller_arrays_that_cover_all_win_over_a_big_one():
    assert tiled(8, view("flat", 0, 8), view("a", 0, 3), view("b", 3, 5)) == ["a", "b"]


def test_big_array_wins_over_smaller_ones_that_leave_a_gap():
    assert tiled(8, view("flat", 0, 8), view("a", 0, 3), view("b", 4, 4)) == ["flat"]


def test_without_a_big_array_what_fits_is_written():
    assert tiled(8, view("a", 0, 3), view("overlaps", 2, 3), view("b", 4, 2)) == ["a", "b"]


def test_array_named_first_gives_its_name():
    assert tiled(8, view("first", 0, 8), view("second", 0, 8)) == ["first"]


def test_array_without_a_name_gives_way():
    assert tiled(8, view(UNNAMED, 0, 8), view("named", 0, 8)) == ["named"]


def test_array_with_gaps_is_never_chosen():
    assert tiled(8, view("gaps", 0, 8, None)) == []
