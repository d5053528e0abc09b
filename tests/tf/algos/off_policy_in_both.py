"""The same algorithm in torch and in TensorFlow, on the same weights, for single gradient steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from garage_like.data.env_spec import EnvSpec
from garage_like.experiment.deterministic import set_seed
from garage_like.np.exploration_policies import AddGaussianNoise, EpsilonGreedyPolicy
from garage_like.replay_buffer import PathBuffer
from garage_like.tf.quiet_import import tf

ROWS = 16
HIDDEN = (7, 5)
DISCRETE = EnvSpec(spaces.Box(-9, 9, (3,), np.float32), spaces.Discrete(4))
BOX = EnvSpec(
    spaces.Box(-9, 9, (3,), np.float32),
    spaces.Box(np.array([-1.0, -3.0], np.float32), np.array([1.0, 3.0], np.float32)),
)
SMALL = {"min_buffer_size": 1, "num_evaluation_episodes": 0}
NETWORKS = ("policy", "_qf", "_qf1", "_qf2", "_target_policy", "_target_qf", "_target_qf1")
NETWORKS += ("_target_qf2",)


class KeepGradients:
    """An optimizer that moves nothing and keeps what it is given."""

    def __init__(self, variables: list[tf.Variable], lr: float) -> None:
        self.learning_rate = lr
        self.gradients = [tf.Variable(tf.zeros_like(variable)) for variable in variables]

    def apply(self, gradients: list[tf.Tensor]) -> None:
        for kept, gradient in zip(self.gradients, gradients, strict=True):
            kept.assign(gradient)


def transitions(spec: EnvSpec, weighted: bool, seed: int = 0) -> dict[str, np.ndarray]:
    """Return a batch as `sample_transitions` does; it has terminations and timeouts."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (ROWS, 2)).astype(np.float32)
    batch = {
        "observation": rng.normal(size=(ROWS, 3)).astype(np.float32),
        "action": rng.integers(0, 4, ROWS) if spec.is_discrete else actions,
        "reward": 2 * rng.normal(size=ROWS).astype(np.float32),
        "next_observation": rng.normal(size=(ROWS, 3)).astype(np.float32),
        "step_type": rng.integers(0, 4, ROWS).astype(np.uint8),
    }
    if weighted:
        batch["weight"] = rng.uniform(0.1, 1.0, ROWS).astype(np.float32)
    return batch


def in_both(name: str, options: dict[str, Any], optimizers: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return an algorithm in torch and in TensorFlow on the same weights.

    Args:
        name: 'dqn', 'ddpg' or 'td3'; with 'dueling_' before it for a network of that kind.
        options: of the algorithm.
        optimizers: in torch and in TensorFlow.
    """
    import garage_like.tf.algos
    import garage_like.tf.policies
    import garage_like.tf.q_functions
    import garage_like.torch.algos
    import garage_like.torch.policies
    import garage_like.torch.q_functions

    in_torch = make(name, garage_like.torch, "DeterministicMLPPolicy", options, optimizers[0])
    in_tf = make(name, garage_like.tf, "ContinuousMLPPolicy", options, optimizers[1])
    with torch.no_grad():
        for network in NETWORKS:
            ours, theirs = getattr(in_torch, network, None), getattr(in_tf, network, None)
            if ours is None or (network == "policy" and name.endswith("dqn")):
                continue
            for parameter in ours.parameters():
                # A target that differs from its original shows which of them is used.
                parameter.mul_(-0.7 if "target" in network else 1.3)
            for ours_, theirs_ in zip(ours.parameters(), theirs.variables, strict=True):
                theirs_.assign(ours_.numpy().T)
    return in_torch, in_tf


def make(name: str, backend: Any, policy_name: str, options: dict, optimizer: Any) -> Any:
    set_seed(2)
    policies, q_functions, algos = backend.policies, backend.q_functions, backend.algos
    if name.endswith("dqn"):
        qf = q_functions.DiscreteMLPQFunction(DISCRETE, HIDDEN, dueling=name != "dqn")
        policy = policies.DiscreteQFArgmaxPolicy(qf, DISCRETE)
        explorer = EpsilonGreedyPolicy(DISCRETE, policy, total_timesteps=100)
        parts: list[Any] = [DISCRETE, policy, qf, PathBuffer(50, DISCRETE)]
        options = {"qf_optimizer": optimizer, **options}
    else:
        policy = getattr(policies, policy_name)(BOX, HIDDEN)
        qfs = [q_functions.ContinuousMLPQFunction(BOX, HIDDEN) for _ in range(2)]
        explorer = AddGaussianNoise(BOX, policy, 100)
        parts = [BOX, policy, *qfs[: 1 + (name == "td3")], PathBuffer(50, BOX)]
        options = {"qf_optimizer": optimizer, "policy_optimizer": optimizer, **options}
    cls = getattr(algos, name.removeprefix("dueling_").upper())
    return cls(*parts, exploration_policy=explorer, **SMALL, **options)


def torch_gradients(algo: Any) -> dict[str, list[np.ndarray]]:
    """Return the gradients that the last update left, laid out as in TensorFlow."""
    return {
        name: [
            p.grad.numpy().T for group in wrapper.optimizer.param_groups for p in group["params"]
        ]
        for name, wrapper in algo._optimizers().items()
    }


def tf_gradients(algo: Any) -> dict[str, list[np.ndarray]]:
    """Return the gradients that the last update left."""
    found = {"Critic": algo._qf_optimizer}
    if hasattr(algo, "_policy_optimizer"):
        found["Policy"] = algo._policy_optimizer
    return {name: [g.numpy() for g in kept.gradients] for name, kept in found.items()}


def weights(algo: Any) -> dict[str, list[np.ndarray]]:
    """Return all weights by network, laid out as in TensorFlow."""
    found = {}
    for name in NETWORKS:
        network = getattr(algo, name, None)
        if network is None:
            continue
        if isinstance(network, torch.nn.Module):
            found[name] = [p.detach().numpy().T.copy() for p in network.parameters()]
        else:
            variables = network.qf.variables if hasattr(network, "qf") else network.variables
            found[name] = [variable.numpy() for variable in variables]
    return found


def distance(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """Return how far numbers are apart, all together, in parts of their length."""
    assert [array.shape for array in ours] == [array.shape for array in theirs]
    mine, others = (np.concatenate([a.ravel() for a in arrays]) for arrays in (ours, theirs))
    return float(np.linalg.norm(mine - others) / np.linalg.norm(others))
