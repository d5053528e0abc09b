"""What programs written for garage pass, override and ask for, in torch."""

import inspect

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn

import garage_like.torch as gt
from garage_like import Trainer
from garage_like.configuration.configured import configuration_of
from garage_like.envs import GymEnv, PointEnv
from garage_like.evaluation import obtain_evaluation_episodes
from garage_like.logging import tabular
from garage_like.logging.logger_state import clear_row
from garage_like.np.exploration_policies import AddGaussianNoise
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import LocalSampler
from garage_like.torch.algos import DDPG, DQN, PPO, SAC, TD3, TRPO, VPG
from garage_like.torch.distributions import TanhNormal
from garage_like.torch.policies import (
    CategoricalMLPPolicy,
    DeterministicMLPPolicy,
    DiscreteCNNPolicy,
    DiscreteQFArgmaxPolicy,
    GaussianMLPPolicy,
    Policy,
    StochasticPolicy,
    TanhGaussianMLPPolicy,
)
from garage_like.torch.q_functions import ContinuousMLPQFunction, DiscreteMLPQFunction
from garage_like.torch.value_functions import GaussianMLPValueFunction


class Linear(StochasticPolicy):
    """Has a `forward` and nothing else."""

    def __init__(self, env_spec, name="linear"):
        super().__init__(env_spec, name)
        self.net = nn.Linear(env_spec.observation_dim, env_spec.action_dim)

    def forward(self, observations):
        return torch.distributions.Categorical(logits=self.net(observations)), {
            "seen": observations
        }


class Still(Policy):
    """Says by `get_action` alone what it does."""

    def get_action(self, observation):
        return np.zeros(2, np.float32), {}


class Reversed(CategoricalMLPPolicy):
    """Says by `get_actions` something else than its base's actor."""

    def get_actions(self, observations):
        return np.ones(len(observations), int), {}


class Shifted(GaussianMLPPolicy):
    """Says by `forward` something else than its base's actor."""

    def forward(self, observations):
        distribution, _ = super().forward(observations)
        mean = torch.full_like(distribution.mean, 7.0)
        return torch.distributions.Normal(mean, 1e-3), {}


def collect(policy, env, steps=20):
    return LocalSampler(policy, env).obtain_samples(0, steps)


def test_a_policy_with_a_forward_alone_acts_by_it_and_by_the_workers_noise():
    env = GymEnv("CartPole-v1", max_episode_length=10)
    policy = Linear(env.spec)
    state = torch.get_rng_state()
    first, second = collect(policy, env), collect(policy, GymEnv("CartPole-v1"))
    assert set(first.actions.tolist()) == {0, 1}
    assert first.agent_infos["seen"].tobytes() == first.observations.tobytes()
    assert first.actions[:10].tolist() == second.actions[:10].tolist()
    assert torch.equal(state, torch.get_rng_state())
    modes = obtain_evaluation_episodes(policy, env, num_eps=2)
    assert (modes.actions == modes.agent_infos["logits"].argmax(1)).all()


def test_a_policy_with_a_forward_alone_learns():
    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = Linear(env.spec)
    before = policy.get_param_values()
    algo = PPO(env.spec, policy, GaussianMLPValueFunction(env.spec), LocalSampler(policy, env))
    trainer = Trainer()
    trainer.setup(algo, env)
    trainer.train(1, 60)
    assert (policy.get_param_values() != before).any()


def test_what_a_subclass_says_last_of_how_it_acts_counts():
    assert not collect(Still(PointEnv().spec), PointEnv(max_episode_length=5)).actions.any()
    env = GymEnv("CartPole-v1", max_episode_length=5)
    assert collect(Reversed(env.spec), env).actions.all()
    env = GymEnv("Pendulum-v1", max_episode_length=5)
    assert np.allclose(collect(Shifted(env.spec), env).actions, 7.0, atol=0.1)


def test_a_name_is_kept_told_and_logged():
    env = GymEnv("CartPole-v1", max_episode_length=20)
    policy = CategoricalMLPPolicy(env.spec, name="pilot")
    value_function = GaussianMLPValueFunction(env.spec, name="worth")
    assert (policy.name, CategoricalMLPPolicy(env.spec).name) == ("pilot", "CategoricalMLPPolicy")
    assert Policy(env.spec, "mine").name == "mine"
    assert configuration_of(policy)["name"] == "pilot"
    assert "name" not in configuration_of(CategoricalMLPPolicy(env.spec))
    assert "name" in inspect.signature(PPO).parameters
    algo = VPG(env.spec, policy, value_function, LocalSampler(policy, env), name="my VPG")
    assert algo.name == "my VPG"
    algo._train_once(0, algo.sampler.obtain_samples(0, 40))
    keys = set(tabular.as_primitive_dict)
    clear_row()
    assert {"pilot/LossBefore", "worth/ExplainedVariance"} <= keys
    assert not any(key.startswith("policy/") for key in keys)


def test_spaces_are_the_environments_and_can_be_laid_flat():
    env = GymEnv("CartPole-v1")
    policy = CategoricalMLPPolicy(env.spec)
    assert policy.observation_space is env.observation_space
    assert policy.action_space is env.action_space
    assert (env.observation_space.flat_dim, env.action_space.flat_dim) == (4, 2)
    assert env.action_space.flatten(1).tolist() == [0, 1]
    assert env.action_space.unflatten(np.array([0, 1])) == 1
    assert env.observation_space.flatten_n(np.zeros((3, 4))).shape == (3, 4)


@pytest.mark.parametrize("base", [VPG, PPO, TRPO])
def test_an_objective_of_ones_own_is_what_is_made_large(base):
    seen = []

    class Mine(base):
        def _compute_objective(self, advantages, obs, actions, rewards):
            seen.append(rewards)
            return super()._compute_objective(advantages, obs, actions, rewards)

    def updated(cls):
        torch.manual_seed(0)
        env = GymEnv("CartPole-v1", max_episode_length=20)
        policy = CategoricalMLPPolicy(env.spec)
        algo = cls(env.spec, policy, GaussianMLPValueFunction(env.spec), LocalSampler(policy, env))
        algo._train_once(0, algo.sampler.obtain_samples(0, 60))
        clear_row()
        assert "_at_hand" not in vars(algo)
        return policy.get_param_values()

    assert np.allclose(updated(Mine), updated(base), atol=1e-5)
    assert all((rewards == 1.0).all() for rewards in seen)
    assert len(seen) > 2


@pytest.mark.parametrize(
    "name", ["_compute_loss", "_compute_advantage", "_compute_policy_entropy", "_train"]
)
def test_what_garage_calls_and_this_does_not_is_refused(name):
    with pytest.raises(TypeError, match=rf"Mine defines {name}, which VPG does not call"):
        type("Mine", (PPO,), {name: lambda self, *args: None})
    with pytest.raises(TypeError, match=r"Mine defines _train_policy.*old_distribution"):

        class Mine(VPG):
            def _train_policy(self, obs, actions, rewards, advantages):
                return None


def off_policy(cls, **options):
    env = GymEnv("Pendulum-v1", max_episode_length=20)
    buffer = PathBuffer(100, env.spec)
    qs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(8,)) for _ in range(2)]
    few = {"min_buffer_size": 20, "buffer_batch_size": 8, "num_evaluation_episodes": 1}
    if issubclass(cls, SAC):
        policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(8,))
    else:
        policy = DeterministicMLPPolicy(env.spec, hidden_sizes=(8,))
    functions = qs[:1] if issubclass(cls, DDPG) else qs
    return cls(env.spec, policy, *functions, buffer, **(few | options)), env


def test_an_update_of_ones_own_is_called_for_each_gradient_step():
    calls = []

    class Mine(SAC):
        def optimize_policy(self, samples_data):
            calls.append(samples_data["reward"].shape)
            super().optimize_policy(samples_data)  # and returns nothing, as garage's may

        def train_once(self, itr, episodes):
            calls.append(itr)
            super().train_once(itr, episodes)

    algo, env = off_policy(Mine, gradient_steps_per_itr=3)
    trainer = Trainer()
    trainer.setup(algo, env)
    trainer.train(1, 30)
    assert calls == [0, (8,), (8,), (8,)]
    with pytest.raises(TypeError, match="define train_once"):
        type("Theirs", (TD3,), {"_train_once": lambda self, itr: None})


def test_a_rate_may_stand_in_the_pair_of_the_optimizer():
    pair = (torch.optim.Adagrad, {"lr": 0.25, "lr_decay": 0.5})
    algo, _ = off_policy(DDPG, policy_optimizer=pair)
    group = algo._policy_optimizer.optimizer.param_groups[0]
    assert (group["lr"], group["lr_decay"]) == (0.25, 0.5)
    assert algo.exploration_policy is algo.policy


def test_options_by_garages_names_are_those_of_ours():
    random = Still(GymEnv("Pendulum-v1").spec)
    with pytest.warns(UserWarning, match="TD3: max_action has no effect"):
        algo, _ = off_policy(
            TD3,
            min_buffer_size=1,
            uniform_random_policy=random,
            start_steps=10,
            reward_scaling=0.5,
            max_action=1.0,
            grad_steps_per_env_step=2,
        )
    assert algo._random_policy is random
    assert algo._reward_scale == 0.5
    assert algo._gradient_steps_per_env_step == 2
    algo._gradient_steps = 1
    assert algo._knows_nothing
    algo._env_steps = 10
    assert not algo._knows_nothing
    with pytest.raises(TypeError, match="reward_scaling is reward_scale by another name"):
        off_policy(DDPG, reward_scaling=1.0, reward_scale=1.0)
    with pytest.raises(ValueError, match=r"policy_weight_decay=0\.1 cannot be had"):
        off_policy(DDPG, policy_weight_decay=0.1)


def test_an_algorithm_is_moved_with_all_it_trains(monkeypatch):
    gt.set_gpu_mode(False)
    assert gt.global_device() == torch.device("cpu")
    env = GymEnv("CartPole-v1")
    qf = DiscreteMLPQFunction(env.spec)
    algo = DQN(env.spec, DiscreteQFArgmaxPolicy(qf, env.spec), qf, PathBuffer(20_000))
    for made in (algo, off_policy(SAC)[0]):
        made.to("meta")
        modules = [value for value in vars(made).values() if isinstance(value, nn.Module)]
        assert {p.device.type for module in modules for p in module.parameters()} == {"meta"}


def test_small_functions_do_what_garages_do():
    assert gt.np_to_torch([1, 2]).dtype == torch.float32
    assert gt.torch_to_np([torch.ones(1)])[0].tolist() == [1.0]
    assert gt.flatten_batch(torch.zeros(2, 3, 4)).shape == (6, 4)
    assert [len(t) for t in gt.filter_valids(torch.zeros(2, 3), [1, 3])] == [1, 3]
    assert gt.pad_to_last([1, 2], 4).tolist() == [1, 2, 0, 0]
    assert gt.pad_to_last(np.ones((2, 1)), 3, axis=0, val=5).tolist() == [[1], [1], [5]]
    with pytest.raises(IndexError, match="no axis 1"):
        gt.pad_to_last([1], 2, axis=1)
    rewards, values = torch.ones(1, 3), torch.zeros(1, 3)
    assert gt.compute_advantages(0.5, 1.0, 3, values, rewards).tolist() == [[1.75, 1.5, 1.0]]
    module = nn.Linear(1, 1)
    made = gt.make_optimizer((torch.optim.Adam, {"lr": 0.5}), module=module)
    assert made.param_groups[0]["lr"] == 0.5
    assert gt.make_optimizer(torch.optim.SGD, module=module, lr=1.0).param_groups[0]["lr"] == 1.0
    with pytest.raises(ValueError, match="lr is in the pair"):
        gt.make_optimizer((torch.optim.Adam, {"lr": 0.5}), module=module, lr=1.0)


def test_deviations_begin_where_init_std_says():
    spec = GymEnv("Pendulum-v1").spec
    options = {"hidden_w_init": nn.init.zeros_, "output_nonlinearity": None}
    for std in (0.5, 1.0):
        policy = TanhGaussianMLPPolicy(spec, init_std=std, **options)
        assert policy(torch.ones(1, 3))[0].log_std.exp().item() == pytest.approx(std)
    with pytest.raises(ValueError, match=r"std_parameterization='softplus' cannot be had"):
        TanhGaussianMLPPolicy(spec, std_parameterization="softplus")


def test_what_a_policy_draws_can_be_had_before_it_is_squashed():
    policy = TanhGaussianMLPPolicy(GymEnv("Pendulum-v1").spec)
    distribution, _ = policy(torch.ones(4, 3))
    u, actions = distribution.rsample_with_pre_tanh_value()
    assert torch.allclose(actions, 2.0 * torch.tanh(u))  # a pendulum's bounds are -2 and 2
    known = distribution.log_prob(actions, pre_tanh_value=u)
    assert torch.allclose(known, distribution.log_prob(actions), atol=1e-3)
    assert distribution.mean.shape == (4, 1)
    squashed = TanhNormal(torch.zeros(2), torch.full((2,), 0.5))
    inside = torch.distributions.Independent(torch.distributions.Normal(0 * u[:2, 0], 0.5), 1)
    assert torch.allclose(squashed.variance, inside.variance)
    assert squashed.entropy() == pytest.approx(inside.entropy().item())
    assert squashed.expand((3,)).sample().shape == (3, 2)
    assert repr(squashed) == "TanhNormal"


def test_methods_take_arguments_by_garages_names():
    spec = GymEnv("Pendulum-v1").spec
    policy, values = GaussianMLPPolicy(spec), GaussianMLPValueFunction(spec)
    policy.set_param_values(state_dict=policy.state_dict())
    rows = torch.ones(2, 3)
    assert torch.equal(values.forward(obs=rows), values(rows))
    assert values.compute_loss(obs=rows, returns=torch.ones(2)).ndim == 0
    assert ContinuousMLPQFunction(spec).output_dim == 1
    assert DiscreteMLPQFunction(GymEnv("CartPole-v1").spec, dueling=True).output_dim == 2
    array = {"a": np.ones(2)}
    assert gt.as_torch_dict(array) is array
    assert torch.is_tensor(array["a"])
    with pytest.raises(TypeError, match="must not be None"):
        gt.NonLinearity(None)


def test_algorithms_hand_out_the_networks_that_they_train():
    assert len(off_policy(SAC)[0].networks) == 5
    assert len(off_policy(TD3)[0].networks) == 6


def test_a_policy_on_images_has_two_names():
    class Film(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 255, (3, 8, 8), np.uint8)
        action_space = gymnasium.spaces.Discrete(3)

    spec = GymEnv(Film(), is_image=True).spec
    policy = DiscreteCNNPolicy(
        spec,
        "NCHW",
        kernel_sizes=(3,),
        hidden_channels=(2,),
        strides=1,
        mlp_hidden_nonlinearity=nn.Tanh,
        cnn_hidden_nonlinearity=nn.ReLU,
    )
    images = np.zeros((5, 3, 8, 8), np.uint8)
    assert set(policy.get_actions(images)[0]) <= {0, 1, 2}
    assert isinstance(policy.cnn.mlp.hidden_nonlinearity, nn.Tanh)
    assert isinstance(policy.cnn.convolutions[1], nn.ReLU)


def test_noise_keeps_the_names_of_what_it_is_around():
    spec = GymEnv("Pendulum-v1").spec
    noise = AddGaussianNoise(spec, DeterministicMLPPolicy(spec), 10)
    assert noise.action_space is spec.action_space
