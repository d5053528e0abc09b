"""Simulations of MuJoCo: captured by way of a twin, and what is restored is what stood there."""

import pickle

import gymnasium
import numpy as np
import pytest

from garage_like.snapshot.capture import capture, load_graph
from garage_like.snapshot.disk.manifest import Manifest
from garage_like.snapshot.graph.pickling import GraphUnpickler
from garage_like.snapshot.graph.walk import leaves
from garage_like.snapshot.kinds import mujoco as mujoco_kind
from garage_like.snapshot.kinds.mujoco import Twin, mujoco_arrays
from garage_like.snapshot.staging import Staging

mujoco = pytest.importorskip("mujoco")


@pytest.fixture
def env():
    return moved(gymnasium.make("HalfCheetah-v5"), 5)


def moved(env, steps):
    env.reset(seed=1)
    env.action_space.seed(1)
    move(env, steps)
    return env


def move(env, steps):
    for _ in range(steps):
        env.step(env.action_space.sample())


def data_of(env):
    return env.unwrapped.data


def load(captured):
    files = {
        name: bytearray(b"".join(bytes(memoryview(p).cast("B")) for p in pieces))
        for name, pieces in captured.files.items()
    }
    return load_graph(Manifest(epoch=0, arrays=captured.arrays), files, "epoch_000000")


def arrays_as_bytes(data):
    return {name: np.asarray(value).tobytes() for name, value in mujoco_arrays(data).items()}


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "Ant-v5", "Humanoid-v5", "Pusher-v5"])
def test_twin_is_the_simulation_byte_for_byte(env_id):
    env = moved(gymnasium.make(env_id), 30)
    twin = Twin(data_of(env))
    assert twin.content() == data_of(env).__getstate__()
    move(env, 30)
    before = data_of(env).__getstate__()
    assert twin.content() != before
    assert twin.follow(data_of(env))
    move(env, 1)
    assert twin.content() == before != data_of(env).__getstate__()


def test_twin_takes_the_numbers_of_a_model_as_they_were(env):
    twin = Twin(data_of(env))
    for factor in (2.0, 0.7):
        env.unwrapped.model.body_mass[1] *= factor
        env.unwrapped.model.opt.gravity[2] *= factor
        move(env, 3)
        assert twin.follow(data_of(env))
        before = data_of(env).__getstate__()
        env.unwrapped.model.body_mass[1] *= 1.5
        move(env, 3)
        assert twin.content() == before


def test_simulations_of_other_models_differ(env):
    before = leaves({"env": env})
    env.unwrapped.model.body_mass[1] *= 2.0
    changed = {path for path, digest in leaves({"env": env}).items() if digest != before[path]}
    assert {path.rpartition(".")[2] for path in changed} == {"model"}
    env.unwrapped.model.body_mass[1] /= 2.0
    assert leaves({"env": env}) == before


def test_twin_does_not_follow_another_simulation(env):
    twin, before = Twin(data_of(env)), data_of(env).__getstate__()
    assert not twin.follow(data_of(moved(gymnasium.make("HalfCheetah-v5"), 9)))
    assert twin.content() == before


def test_a_mujoco_that_copies_no_simulations_is_captured_as_well(env, monkeypatch):
    monkeypatch.delattr(mujoco, "mj_copyData")
    captured, before = capture({"env": env}, Staging()), arrays_as_bytes(data_of(env))
    move(env, 3)
    assert arrays_as_bytes(data_of(load(captured)["env"])) == before


def test_capture_holds_data_and_model_as_they_were(env):
    staging = Staging()
    for factor in (1.0, 1.0, 3.0, 1.0):
        env.unwrapped.model.body_mass[1] *= factor
        mass, before = env.unwrapped.model.body_mass.copy(), arrays_as_bytes(data_of(env))
        staging.clear()
        captured = capture({"env": env}, staging)
        move(env, 3)
        env.unwrapped.model.body_mass[:] *= 1.5
        restored = load(captured)["env"].unwrapped
        assert arrays_as_bytes(restored.data) == before
        assert restored.model.body_mass.tobytes() == mass.tobytes()
        assert restored.data.model is restored.model
        env.unwrapped.model.body_mass[:] = mass


def test_each_of_many_simulations_has_its_own_twin(env):
    envs = [env, moved(gymnasium.make("Hopper-v5"), 3), moved(gymnasium.make("HalfCheetah-v5"), 9)]
    staging = Staging()
    for graph in ({"env": envs}, {"env": envs}, {"env": envs[1:]}, {"env": envs[:2]}):
        staging.clear()
        captured = capture(graph, staging)
        before = [arrays_as_bytes(data_of(one)) for one in graph["env"]]
        for one in envs:
            move(one, 2)
        assert [arrays_as_bytes(data_of(one)) for one in load(captured)["env"]] == before


def test_twins_are_used_again(env):
    staging = Staging()
    capture({"env": env}, staging)
    (twin,) = staging.twins
    move(env, 1)
    capture({"env": env}, staging)
    assert staging.twins == [twin]


@pytest.mark.parametrize("name", ["rebuild_simulation", "rebuild_mujoco_data"])
@pytest.mark.parametrize("room", ["snapshot.graph", "snapshot"])
def test_simulations_of_old_snapshots_load(env, name, room):
    data = data_of(env)
    content = np.frombuffer(pickle.dumps(data), np.uint8)
    arguments = (type(data), data.__getstate__())
    if name == "rebuild_mujoco_data":
        arguments = (content,)

    class Old:
        def __reduce__(self):
            return getattr(mujoco_kind, name), arguments

    then = pickle.dumps(Old(), 2).replace(
        b"garage_like.snapshot.kinds.mujoco", f"garage_like.{room}.env_state".encode()
    )
    restored = GraphUnpickler(then, []).load()
    assert arrays_as_bytes(restored) == arrays_as_bytes(data)
