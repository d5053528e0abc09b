"""Where torch's values are loaded to. There may be no GPU here: what one saved comes to the CPU."""

import numpy as np
import pytest
import torch

import garage_like
from garage_like.snapshot.kinds.devices import building_on_cpu
from garage_like.snapshot.kinds.torch_arrays import rebuild_storage
from garage_like.snapshot.kinds.torch_modules import rebuild_generator

NO_GPU = f"cuda:{torch.cuda.device_count()}"


def test_k11_the_cpu_takes_what_was_saved_anywhere(trained):
    run_dir, algo = trained("sac")
    for map_location in ("cpu", torch.device("cpu"), None):
        loaded = garage_like.load_algo(run_dir, map_location=map_location)
        assert {str(p.device) for p in loaded.policy.parameters()} == {"cpu"}
        assert np.array_equal(loaded.policy.get_param_values(), algo.policy.get_param_values())


@pytest.mark.parametrize("device", [NO_GPU, "cuda:77"])
def test_k11_memory_of_a_gpu_that_is_not_here_comes_to_the_cpu(device):
    storage = rebuild_storage(bytearray(b"12345678"), device)
    assert str(storage.device) == "cpu"
    assert bytes(storage.tolist()) == b"12345678"


def test_k11_generator_of_a_gpu_that_is_not_here_goes_on_from_its_state_on_the_cpu():
    one, same, other = (
        rebuild_generator(NO_GPU, torch.full((16,), value, dtype=torch.uint8))
        for value in (1, 1, 2)
    )
    draws = [torch.rand(3, generator=generator).tolist() for generator in (one, same, other)]
    assert draws[0] == draws[1] != draws[2]


def test_generator_of_the_cpu_goes_on_where_it_stood():
    generator = torch.Generator().manual_seed(3)
    copy = rebuild_generator("cpu", generator.get_state())
    assert torch.equal(torch.rand(3, generator=copy), torch.rand(3, generator=generator))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_k11_all_is_built_on_the_cpu_if_so_asked():
    with building_on_cpu():
        assert str(rebuild_storage(bytearray(b"1234"), "cuda:0").device) == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_k11_what_the_cpu_saved_is_loaded_onto_a_gpu_optimizers_included(trained):
    run_dir, algo = trained("ppo")
    loaded = garage_like.load_algo(run_dir, map_location="cuda:0")
    assert {p.device.type for p in loaded.policy.parameters()} == {"cuda"}
    slots = loaded._policy_optimizer._optimizer.state.values()
    assert {slot["exp_avg"].device.type for slot in slots} == {"cuda"}
    assert np.array_equal(loaded.policy.get_param_values(), algo.policy.get_param_values())
    loaded.policy.get_action(np.zeros(3, np.float32))


@pytest.mark.parametrize(
    ("map_location", "message"),
    [
        (NO_GPU, r"map_location='cuda:\d': there is no such device here"),
        ("meta", "map_location='meta' holds no values"),
        ("gpu", "map_location must be a device of torch such as 'cpu' or 'cuda:0', got 'gpu'"),
        (0.5, "map_location must be a device of torch such as 'cpu' or 'cuda:0', got 0.5"),
    ],
)
def test_k11_what_is_no_device_here_is_refused(map_location, message, trained):
    for load in (garage_like.load_policy, garage_like.load_algo):
        with pytest.raises(ValueError, match=message):
            load(trained("ppo")[0], map_location=map_location)
