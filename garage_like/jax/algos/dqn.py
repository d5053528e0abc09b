"""DQN: deep Q-learning, an epoch in one compiled function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
import optax

from garage_like.algos.off_policy import metrics_of
from garage_like.jax.algos.compiled_epochs import check_positive
from garage_like.jax.algos.env_copies import Learner
from garage_like.jax.algos.off_policy import OffPolicy, OffPolicyOptions, Transitions, rate_now
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.networks import make_mlp, mlp
from garage_like.jax.policies.mlp_policies import DiscreteQFArgmaxPolicy


class DQN(OffPolicy):
    """Learn what each action is worth, and take the best.

    Mnih et al. 2015, doi:10.1038/nature14236; double Q-learning by van Hasselt et al. 2016,
    arXiv:1509.06461. Differs from the paper: Adam instead of RMSProp; errors are not cut to 1, as
    rewards are not either: the norm of the gradient is.

    Args:
        env: as it is given to the trainer; its actions are discrete.
        policy: what is trained.
        double_q: let the online network choose the next action and the target value it.
        qf_lr: learning rate of Adam; or a schedule of optax, of the number of gradient steps.
        clip_gradient: norm that gradients are cut to.
        max_epsilon: probability of a random action at the start.
        min_epsilon: the same when it has fallen.
        epsilon_steps: env steps, of all environments, in which it falls, linearly.
        target_update_freq: updates between two of the target.
        target_update_tau: how far one moves the target to the online network; 1 copies.
        **options: arguments of OffPolicy.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX, or the policy is of another kind.
    """

    UPDATE_METRICS = ("Loss/Critic", "Q-network/Q1", "Target/Mean")
    METRICS = metrics_of(UPDATE_METRICS, "Learning/CriticLearningRate", "Exploration/Epsilon")

    def __init__(
        self,
        env: JaxEnv,
        policy: DiscreteQFArgmaxPolicy,
        *,
        double_q: bool = True,
        qf_lr: Any = 1e-3,
        clip_gradient: float = 10.0,
        max_epsilon: float = 1.0,
        min_epsilon: float = 0.05,
        epsilon_steps: int = 10_000,
        target_update_freq: int = 50,
        target_update_tau: float = 1.0,
        **options: Unpack[OffPolicyOptions],
    ) -> None:
        super().__init__(env, policy, target_update_tau=target_update_tau, **options)
        if not isinstance(policy, DiscreteQFArgmaxPolicy) or not env.spec.is_discrete:
            raise TypeError(
                "DQN: expected a DiscreteQFArgmaxPolicy of garage_like.jax.policies and discrete"
                f" actions, got {policy!r} and {env.action_space}"
            )
        if not 0.0 <= min_epsilon <= max_epsilon <= 1.0:
            raise ValueError(
                "DQN: expected 0 <= min_epsilon <= max_epsilon <= 1, got"
                f" {min_epsilon!r} and {max_epsilon!r}"
            )
        if not clip_gradient > 0.0:
            raise ValueError(f"DQN: clip_gradient must be positive, got {clip_gradient!r}")
        check_positive("DQN", "epsilon_steps", epsilon_steps)
        check_positive("DQN", "target_update_freq", target_update_freq)
        self._double_q = double_q
        self._qf_lr, self._clip_gradient = qf_lr, clip_gradient
        self._max_epsilon, self._min_epsilon = max_epsilon, min_epsilon
        self._epsilon_steps = epsilon_steps
        self._target_update_freq = target_update_freq

    @property
    def _optimizer(self) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(self._clip_gradient), optax.adam(self._qf_lr))

    def _make_params(self, key: jax.Array) -> dict[str, Any]:
        qf = make_mlp(key, self.policy.sizes, math.sqrt(2.0), 1.0)
        return {"qf": qf, "target_qf": jax.tree.map(jnp.copy, qf)}

    def _make_slots(self, params: Any) -> Any:
        return self._optimizer.init(params["qf"])

    def _weights(self, learner: Learner) -> Mapping[str, Any]:
        qf: Mapping[str, Any] = learner.params["qf"]
        return qf

    # ---- acting -----------------------------------------------------------------------------

    def _epsilon(self, at: Any, xp: Any = jnp) -> Any:
        """Return the probability of a random action before update `at` + 1, by JAX or NumPy."""
        done = xp.minimum(at * self._steps_per_update / self._epsilon_steps, 1.0)
        return self._max_epsilon + done * (self._min_epsilon - self._max_epsilon)

    def _random(self, key: jax.Array) -> jax.Array:
        return jax.random.randint(key, (self._num_envs,), 0, self.policy.sizes[-1])

    def _explore(self, key: jax.Array, params: Any, observation: jax.Array, at: Any) -> jax.Array:
        choice_key, key = jax.random.split(key)
        is_random = jax.random.uniform(choice_key, (self._num_envs,)) < self._epsilon(at)
        return jnp.where(is_random, self._random(key), self._best(params, observation))

    def _best(self, params: Any, observation: jax.Array) -> jax.Array:
        return self._values(params["qf"], observation).argmax(-1)

    def _values(self, qf: Any, observation: jax.Array) -> jax.Array:
        return mlp(qf, observation, self._nonlinearity)

    # ---- learning ---------------------------------------------------------------------------

    def _gradient_step(
        self, key: jax.Array, params: Any, slots: Any, batch: Transitions
    ) -> tuple[Any, Any, dict[str, jax.Array]]:
        following = self._values(params["target_qf"], batch.next_observation)
        chooser = following
        if self._double_q:
            chooser = self._values(params["qf"], batch.next_observation)
        best = jnp.take_along_axis(following, chooser.argmax(-1)[:, None], 1)[:, 0]
        target = batch.reward + self._discount * batch.goes_on * best

        def loss(qf: Any) -> tuple[jax.Array, jax.Array]:
            values = self._values(qf, batch.observation)
            value = jnp.take_along_axis(values, batch.action[:, None], 1)[:, 0]
            return 0.5 * jnp.square(value - target).mean(), value.mean()

        (critic_loss, value), gradient = jax.value_and_grad(loss, has_aux=True)(params["qf"])
        updates, slots = self._optimizer.update(gradient, slots, params["qf"])
        params = {**params, "qf": optax.apply_updates(params["qf"], updates)}
        metrics = {"Loss/Critic": critic_loss, "Q-network/Q1": value, "Target/Mean": target.mean()}
        return params, slots, metrics

    def _finish_update(self, params: Any, at: Any) -> Any:
        tau = jnp.where(at % self._target_update_freq == 0, self._target_update_tau, 0.0)
        target = optax.incremental_update(params["qf"], params["target_qf"], tau)
        return {**params, "target_qf": target}

    def _rates(self) -> dict[str, float]:
        return {
            "Learning/CriticLearningRate": rate_now(self._qf_lr, self._gradient_steps),
            "Exploration/Epsilon": float(self._epsilon(self._updates_done, np)),
        }
