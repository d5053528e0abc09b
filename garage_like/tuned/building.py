"""Make an algorithm, and all it works with, of settings: one function for each kind."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import gymnasium

from garage_like.envs import GymEnv, normalize
from garage_like.interfaces import RLAlgorithm
from garage_like.np.exploration_policies import (
    AddGaussianNoise,
    AddOrnsteinUhlenbeckNoise,
    EpsilonGreedyPolicy,
)
from garage_like.replay_buffer import PathBuffer
from garage_like.sampler import FragmentWorker, LocalSampler, VecWorker
from garage_like.trainer import Trainer
from garage_like.trainer.state import check_count
from garage_like.tuned.settings import Settings

_JAX_ENVS = {"CartPole-v1": "CartPole", "Pendulum-v1": "Pendulum"}
_JAX_POLICIES = {"SAC": "TanhGaussianMLPPolicy", "DQN": "DiscreteQFArgmaxPolicy"}


class Parts:
    """Settings, section by section, and the modules of their backend.

    Args:
        settings: of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._left = {name.partition(".")[0] for name in settings.values} - {"train"}

    def section(self, name: str) -> dict[str, Any]:
        """Return a section, which counts as used."""
        self._left.discard(name)
        return self.settings.section(name)

    def cls(self, room: str, name: str | None = None) -> Any:
        """Return a class of the backend: the algorithm's, unless another is named."""
        module = importlib.import_module(f"garage_like.{self.settings.backend}.{room}")
        return getattr(module, name or self.settings.algorithm)

    @property
    def in_tf(self) -> bool:
        """Whether TensorFlow trains."""
        return self.settings.backend == "tf"

    def check_all_used(self) -> None:
        """Raise ValueError if a section was of no use."""
        if self._left:
            raise ValueError(
                f"{self.settings.algorithm} has no use for {', '.join(sorted(self._left))}.*"
            )


def build(settings: Settings) -> tuple[RLAlgorithm, Any]:
    """Return the algorithm and its environment.

    Raises:
        ValueError: if a section is of no use, or the algorithm cannot act in the environment.
        TypeError: if a class takes no such argument.
    """
    _check_train(settings.section("train"))
    parts = Parts(settings)
    if settings.backend == "jax":
        made = _in_jax(parts)
    else:
        env: Any = GymEnv(settings.environment, **parts.section("env"))
        normalizing = parts.section("normalize")
        env = normalize(env, **normalizing) if normalizing else env
        wants, make = _KINDS[settings.algorithm]
        if wants is not None and not isinstance(env.spec.action_space, wants):
            raise ValueError(
                f"{settings.algorithm} needs actions in a {wants.__name__};"
                f" {settings.environment} has {env.spec.action_space}"
            )
        made = make(parts, env), env
    parts.check_all_used()
    return made


def _check_train(section: dict[str, Any]) -> None:
    """Raise before there is a run, and not when it begins to train."""
    known = inspect.signature(Trainer.train).parameters
    for name in section:
        if name not in known:
            raise ValueError(f"there is no train.{name}; there are {', '.join([*known][1:])}")
    for name in ("n_epochs", "batch_size"):
        check_count(f"train.{name}", section[name], 1)


def _on_policy(parts: Parts, env: Any) -> RLAlgorithm:
    is_discrete = isinstance(env.spec.action_space, gymnasium.spaces.Discrete)
    kind = "CategoricalMLPPolicy" if is_discrete else "GaussianMLPPolicy"
    policy = parts.cls("policies", kind)(env.spec, **parts.section("policy"))
    values = ("baselines", "GaussianMLPBaseline")
    if not parts.in_tf:
        values = ("value_functions", "GaussianMLPValueFunction")
    value_function = parts.cls(*values)(env.spec, **parts.section("value_function"))
    worker_args = {"n_envs": 1, **parts.section("sampler")}
    worker = FragmentWorker if parts.settings.algorithm == "A2C" else VecWorker
    sampler = LocalSampler(policy, env, worker_class=worker, worker_args=worker_args)
    options = parts.section("algo")
    optimizer = parts.section("optimizer")
    if optimizer:
        adam = (_adam(parts), {name: optimizer.pop(name) for name in {"lr"} & optimizer.keys()})
        wrapper = parts.cls("optimizers", "OptimizerWrapper")
        options["policy_optimizer"] = wrapper(adam, policy, **optimizer)
    algorithm: RLAlgorithm = parts.cls("algos")(
        env.spec, policy, value_function, sampler, **options
    )
    return algorithm


def _adam(parts: Parts) -> Any:
    if parts.in_tf:
        return parts.cls("optimizers", "Adam")
    return importlib.import_module("torch.optim").Adam


def _q_learning(parts: Parts, env: Any) -> RLAlgorithm:
    qf = parts.cls("q_functions", "DiscreteMLPQFunction")(env.spec, **parts.section("qf"))
    policy = parts.cls("policies", "DiscreteQFArgmaxPolicy")(qf, env.spec)
    return _off_policy(parts, env, policy, qf, noise=EpsilonGreedyPolicy)


def _deterministic(parts: Parts, env: Any) -> RLAlgorithm:
    kind = "ContinuousMLPPolicy" if parts.in_tf else "DeterministicMLPPolicy"
    policy = parts.cls("policies", kind)(env.spec, **parts.section("policy"))
    is_td3 = parts.settings.algorithm == "TD3"
    qfs = _q_functions(parts, env, "ContinuousMLPQFunction", 2 if is_td3 else 1)
    noise: Any = AddGaussianNoise if is_td3 else AddOrnsteinUhlenbeckNoise
    return _off_policy(parts, env, policy, *qfs, noise=noise)


def _soft(parts: Parts, env: Any) -> RLAlgorithm:
    policy = parts.cls("policies", "TanhGaussianMLPPolicy")(env.spec, **parts.section("policy"))
    if parts.settings.algorithm == "TQC":
        return _off_policy(parts, env, policy, _q_functions(parts, env, "QuantileMLPQFunction", 2))
    return _off_policy(parts, env, policy, *_q_functions(parts, env, "ContinuousMLPQFunction", 2))


def _discrete_soft(parts: Parts, env: Any) -> RLAlgorithm:
    policy = parts.cls("policies", "CategoricalMLPPolicy")(env.spec, **parts.section("policy"))
    return _off_policy(parts, env, policy, *_q_functions(parts, env, "DiscreteMLPQFunction", 2))


def _q_functions(parts: Parts, env: Any, kind: str, count: int) -> list[Any]:
    options = parts.section("qf")
    return [parts.cls("q_functions", kind)(env.spec, **options) for _ in range(count)]


def _off_policy(parts: Parts, env: Any, policy: Any, *qfs: Any, noise: Any = None) -> RLAlgorithm:
    options = parts.section("algo")
    memory = PathBuffer(env_spec=env.spec, **parts.section("buffer"))
    if noise is not None:
        exploration = parts.section("exploration")
        if noise is not AddOrnsteinUhlenbeckNoise:
            train = parts.settings.section("train")
            steps = train["n_epochs"] * train["batch_size"] * options.get("steps_per_epoch", 1)
            exploration = {"total_timesteps": steps, **exploration}
        options["exploration_policy"] = noise(env.spec, policy, **exploration)
    algorithm: RLAlgorithm = parts.cls("algos")(env.spec, policy, *qfs, memory, **options)
    return algorithm


def _in_jax(parts: Parts) -> tuple[RLAlgorithm, Any]:
    name, environment = parts.settings.algorithm, parts.settings.environment
    if environment not in _JAX_ENVS:
        raise ValueError(
            f"an environment in JAX must be one of {', '.join(_JAX_ENVS)}, got {environment}"
        )
    env = parts.cls("envs", "JaxEnv")(parts.cls("envs", _JAX_ENVS[environment])())
    is_discrete = isinstance(env.spec.action_space, gymnasium.spaces.Discrete)
    kind = _JAX_POLICIES.get(name, "CategoricalMLPPolicy" if is_discrete else "GaussianMLPPolicy")
    policy = parts.cls("policies", kind)(env.spec, **parts.section("policy"))
    return parts.cls("algos")(env, policy, **parts.section("algo")), env


_Kind = tuple[type[gymnasium.Space] | None, Callable[[Parts, Any], RLAlgorithm]]
_KINDS: dict[str, _Kind] = {
    **dict.fromkeys(("PPO", "A2C", "TRPO"), (None, _on_policy)),
    "DQN": (gymnasium.spaces.Discrete, _q_learning),
    **dict.fromkeys(("DDPG", "TD3"), (gymnasium.spaces.Box, _deterministic)),
    **dict.fromkeys(("SAC", "TQC"), (gymnasium.spaces.Box, _soft)),
    "DiscreteSAC": (gymnasium.spaces.Discrete, _discrete_soft),
}
"""By algorithm: the space that actions must be in, or None for any, and how it is made."""
