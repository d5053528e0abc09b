"""Names of garage's that are more than another import: what they do."""

import importlib
import math
import re
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from garage_like.data.env_spec import EnvSpec
from garage_like.envs import GridWorldEnv, GymEnv, PointEnv, TaskOnehotWrapper, normalize
from garage_like.np.baselines import LinearFeatureBaseline, LinearMultiFeatureBaseline


def test_environments_say_how_they_can_be_shown():
    env = GymEnv("Pendulum-v1")
    assert "rgb_array" in env.render_modes
    assert normalize(env).render_modes == env.render_modes
    assert GridWorldEnv().render_modes == ["ansi"]


def test_modules_of_garage_are_found_by_their_names():
    import garage_like._environment as environment
    from garage_like.experiment.experiment import ExperimentContext, wrap_experiment

    from garage_like.np.algos import RLAlgorithm  # noqa: F401
    from garage_like.np.baselines import Baseline  # noqa: F401
    from garage_like.np.policies import Policy  # noqa: F401
    from garage_like.sampler import Sampler  # noqa: F401

    assert environment.EnvSpec is EnvSpec
    assert callable(wrap_experiment)
    assert ExperimentContext.__name__ == "ExperimentContext"


def test_a_module_that_is_called_as_a_class_is_the_package_that_offers_it():
    import garage_like.envs.wrappers.stack_frames as module
    from garage_like.envs.wrappers.pixel_observation import PixelObservationWrapper
    from garage_like.sampler.multiprocessing_sampler import MultiprocessingSampler
    from garage_like.sampler.utils import rollout as rollout_of_garage

    import garage_like.envs.wrappers
    import garage_like.sampler
    from garage_like import rollout

    assert module.StackFrames is garage_like.envs.wrappers.StackFrames
    assert PixelObservationWrapper is garage_like.envs.wrappers.PixelObservationWrapper
    assert MultiprocessingSampler is garage_like.sampler.MultiprocessingSampler
    assert rollout_of_garage is rollout
    for name in ("envs.wrappers.stack_frame", "sampler.check_env", "nothing", "__main"):
        with pytest.raises(ModuleNotFoundError, match=f"garage_like.{name}"):
            importlib.import_module(f"garage_like.{name}")


def test_distributions_of_torch_know_what_they_squash():
    torch = pytest.importorskip("torch")
    from garage_like.torch._functions import output_height_2d, output_width_2d, set_gpu_mode

    from garage_like.torch.distributions import TanhNormal

    assert callable(set_gpu_mode)
    distribution = TanhNormal(torch.zeros(4, 2), torch.full((4, 2), 0.5))
    u, squashed = distribution.rsample_with_pre_tanh_value()
    assert torch.allclose(torch.tanh(u), squashed)
    known = distribution.log_prob(squashed, pre_tanh_value=u)
    assert torch.allclose(known, distribution.log_prob(squashed), atol=1e-3)
    layer = torch.nn.Conv2d(1, 2, (3, 2), (2, 1), 1)
    left = layer(torch.zeros(1, 1, 9, 7)).shape[2:]
    assert (output_height_2d(layer, 9), output_width_2d(layer, 7)) == tuple(left)


def test_networks_of_tensorflow_hand_their_weights_out():
    pytest.importorskip("tensorflow")
    from garage_like.tf.baselines import ContinuousMLPBaseline
    from garage_like.tf.policies import GaussianMLPPolicy
    from garage_like.tf.q_functions import DiscreteMLPDuelingQFunction, DiscreteMLPQFunction

    env = GymEnv("Pendulum-v1")
    baseline = ContinuousMLPBaseline(env.spec, (4,))
    vector = baseline.get_param_values()
    arrays = baseline.flat_to_params(vector)
    assert [array.shape for array in arrays] == baseline.get_param_shapes()
    assert np.array_equal(np.concatenate([array.ravel() for array in arrays]), vector)
    baseline.set_param_values(2.0 * vector)
    assert np.array_equal(baseline.get_param_values(), 2.0 * vector)
    assert len(baseline.get_regularizable_vars()) == 2

    policy = GaussianMLPPolicy(env.spec, hidden_sizes=(4,), name="first")
    twin = policy.clone("second")
    twin.set_param_values(0.0 * twin.get_param_values())
    assert (policy.name, twin.name) == ("first", "second")
    assert policy.get_param_values().any()
    spec = GymEnv("CartPole-v1").spec
    assert DiscreteMLPDuelingQFunction(spec, (4,)).is_dueling
    assert not DiscreteMLPQFunction(spec, (4,)).is_dueling


def test_arguments_that_say_what_is_so_anyway_are_taken_and_others_refused():
    tf = pytest.importorskip("tensorflow")
    from garage_like.tf.policies import GaussianLSTMPolicy, GaussianMLPPolicy

    spec = GymEnv("Pendulum-v1").spec
    as_here = {"hidden_nonlinearity": tf.nn.tanh, "recurrent_nonlinearity": tf.nn.sigmoid}
    as_here |= {"hidden_state_init": tf.zeros_initializer(), "forget_bias": True}
    GaussianLSTMPolicy(env_spec=spec, hidden_dim=4, cell_state_init_trainable=False, **as_here)
    GaussianMLPPolicy(env_spec=spec, adaptive_std=False)
    for refused in ({"hidden_nonlinearity": tf.nn.relu}, {"hidden_state_init_trainable": True}):
        with pytest.raises(ValueError, match="cannot be had"):
            GaussianLSTMPolicy(env_spec=spec, hidden_dim=4, **refused)


@pytest.mark.parametrize("name", ["ERWR", "REPS"])
def test_what_a_class_hands_up_is_not_taken_for_an_argument_of_garages(name):
    # To users of ERWR positive_adv=True says what is so anyway; its base is told so by ERWR.
    pytest.importorskip("tensorflow")
    from garage_like.tf import algos
    from garage_like.tf.policies import CategoricalMLPPolicy

    env = GymEnv("CartPole-v1")
    parts = [LinearFeatureBaseline(env.spec)] if name == "ERWR" else []
    for given in ({}, {"positive_adv": name == "ERWR"}):
        algo = getattr(algos, name)(env.spec, CategoricalMLPPolicy(env.spec), *parts, **given)
        assert getattr(algo, "_positive_adv", False) == (name == "ERWR")


def test_what_is_asked_of_networks_of_a_graph_is_refused_with_what_there_is():
    tf = pytest.importorskip("tensorflow")
    from garage_like.experiment.deterministic import set_seed
    from garage_like.tf.policies import GaussianMLPPolicy
    from garage_like.tf.q_functions import ContinuousCNNQFunction, ContinuousMLPQFunction

    spec = GymEnv("Pendulum-v1").spec
    policy = GaussianMLPPolicy(spec)
    policy.set_param_values(param_values=policy.get_param_values())
    assert policy.input_dim == 3
    for name in ("build", "distribution", "network_input_spec"):
        assert not hasattr(policy, name)
        with pytest.raises(AttributeError, match=f"no attribute '{name}': there is no graph; "):
            getattr(policy, name)
    with pytest.raises(AttributeError, match=r"no attribute 'other'$"):
        policy.other  # noqa: B018
    rows, actions = np.ones((4, 3)), np.ones((4, 1))
    values = ContinuousMLPQFunction(spec, action_merge_layer=-2).get_qval(rows, actions)
    assert values.shape == (4, 1)

    set_seed(3)  # of some small networks no unit answers to one colour
    image = gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8)
    looking = ContinuousCNNQFunction(
        EnvSpec(image, spec.action_space),
        filters=((2, (3, 3)), (2, (3, 3))),
        strides=(1, 1),
        padding="SAME",
        hidden_sizes=(4, 4),
    )
    pictures = np.full((4, 8, 8, 3), 255, np.uint8)
    value = looking.get_qval(pictures, actions)
    assert value.shape == (4, 1)
    assert (looking.get_qval(pictures, 0 * actions) != value).all()
    assert (looking.get_qval(0 * pictures, actions) != value).all()
    assert len(looking.trainable_variables) == 2 * 2 + 2 + 2 * 2
    assert tf.is_tensor(looking(tf.ones((1, 192)), tf.ones((1, 1))))


def test_small_things_are_done_as_programs_of_garage_expect():
    from garage_like import rollout
    from garage_like.experiment.deterministic import get_tf_seed_stream, set_seed
    from garage_like.np.policies import FixedPolicy, UniformRandomPolicy

    assert PointEnv(max_episode_length=math.inf).spec.max_episode_length is None
    step = TaskOnehotWrapper.wrap_env_list([PointEnv(), PointEnv()])[1]
    step.reset()
    assert step.step(np.zeros(2)).env_info["task_id"] == 1
    set_seed(1)
    seeds = [get_tf_seed_stream(), get_tf_seed_stream()]
    set_seed(1)
    assert [get_tf_seed_stream(), get_tf_seed_stream()] == seeds
    assert seeds[0] != seeds[1]
    with pytest.raises(ValueError, match="acts in one environment, got 2"):
        FixedPolicy(PointEnv().spec, [np.zeros(2)]).reset([True, False])
    env = PointEnv(max_episode_length=2)
    rollout(env, UniformRandomPolicy(env.spec), animated=True, pause_per_frame=0.0)
    with pytest.raises(ValueError, match="expected a path, got none"):
        LinearFeatureBaseline(env.spec).fit([])
    baseline = LinearMultiFeatureBaseline(env.spec, features=["observation"])
    path = {"observation": np.ones((3, 3)), "returns": np.ones(3), "rewards": np.ones(3)}
    baseline.fit([path])
    assert baseline.predict(path) == pytest.approx(np.ones(3), abs=1e-3)


def test_a_point_is_printed_while_it_is_shown(capsys):
    env = PointEnv()
    env.reset()
    env.step(np.zeros(2))
    assert capsys.readouterr().out == ""
    env.visualize()
    env.step(np.zeros(2))
    assert capsys.readouterr().out.count("Goal:") == 2


def names_of_garage():
    lines = (Path(__file__).parent / "names_of_garage.txt").read_text().splitlines()[1:]
    for line in lines:
        module, _, names = line.partition(": ")
        yield from ((module, name) for name in names.split())


def is_here(module, name):
    try:
        found = importlib.import_module(module.replace("garage", "garage_like", 1))
    except ModuleNotFoundError:
        return False
    return hasattr(found, name)


@pytest.mark.slow  # it imports everything
def test_the_page_on_garage_names_what_is_gone_and_nothing_else():
    pytest.importorskip("tensorflow")
    page = (Path(__file__).parents[2] / "docs/coming_from/garage.md").read_text()
    gone = page[page.index("| gone | why") :]
    first_cells = " ".join(row.split("|")[1] for row in gone.splitlines() if row.startswith("|"))
    said = set(re.findall(r"`([\w.]+)`", first_cells))
    assert len(said) > 40
    lacking = {(module, name) for module, name in names_of_garage() if not is_here(module, name)}
    for module, name in lacking:
        is_said = name in said or any(f"{module}.".startswith(f"{told}.") for told in said)
        assert is_said, f"{module}.{name} is not here, and the page does not say so"
    here = {name for _, name in names_of_garage()} - {name for _, name in lacking}
    assert said & here == set()
