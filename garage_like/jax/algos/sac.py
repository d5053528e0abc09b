"""SAC: soft actor-critic, an epoch in one compiled function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
import optax

from garage_like.algos.off_policy import metrics_of
from garage_like.jax.algos.env_copies import Learner
from garage_like.jax.algos.off_policy import OffPolicy, OffPolicyOptions, Transitions, rate_now
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.networks import make_mlp, mlp
from garage_like.jax.policies.mlp_policies import LOG_STD_RANGE, TanhGaussianMLPPolicy
from garage_like.np.bounded_actions import action_range


class SAC(OffPolicy):
    """Earn reward while acting as randomly as possible; trust the less hopeful of two Q-functions.

    Haarnoja et al. 2018, arXiv:1812.05905, with a learned temperature, or a fixed one.

    Args:
        env: as it is given to the trainer; its actions are a Box.
        policy: what is trained; the Q-functions have hidden layers like its own.
        fixed_alpha: the temperature; None to learn it.
        target_entropy: what a learned temperature holds the policy's entropy at, in nats; None for
            minus the number of actions, in units of half widths of the action space.
        initial_log_entropy: logarithm of the temperature at the start.
        policy_lr: learning rate of the policy and of the temperature, a number or a schedule of
            optax, of the number of gradient steps.
        qf_lr: learning rate of the Q-functions, the same.
        target_update_tau: how far the targets move to the online networks at each gradient step.
        **options: arguments of OffPolicy.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX, or the policy is of another kind.
    """

    UPDATE_METRICS = (
        "Loss/Policy",
        "Loss/Critic",
        "Loss/Entropy",
        "Q-network/Q1",
        "Q-network/Q2",
        "Target/Mean",
        "Coefficient/Entropy",
        "policy/Entropy",
    )
    METRICS = metrics_of(
        UPDATE_METRICS,
        "Learning/PolicyLearningRate",
        "Learning/CriticLearningRate",
        "Learning/EntropyLearningRate",
    )

    def __init__(
        self,
        env: JaxEnv,
        policy: TanhGaussianMLPPolicy,
        *,
        fixed_alpha: float | None = None,
        target_entropy: float | None = None,
        initial_log_entropy: float = 0.0,
        policy_lr: Any = 3e-4,
        qf_lr: Any = 3e-4,
        target_update_tau: float = 5e-3,
        **options: Unpack[OffPolicyOptions],
    ) -> None:
        super().__init__(env, policy, target_update_tau=target_update_tau, **options)
        if not isinstance(policy, TanhGaussianMLPPolicy) or env.spec.is_discrete:
            raise TypeError(
                "SAC: expected a TanhGaussianMLPPolicy of garage_like.jax.policies and actions in a"
                f" Box, got {policy!r} and {env.action_space}"
            )
        if fixed_alpha is not None and not fixed_alpha > 0.0:
            raise ValueError(f"SAC: fixed_alpha must be positive or None, got {fixed_alpha!r}")
        self._fixed_alpha = fixed_alpha
        self._initial_log_entropy = initial_log_entropy
        self._policy_lr, self._qf_lr = policy_lr, qf_lr
        self._centre, self._scale = action_range(env.action_space)
        of_width_one = -float(self._scale.size) + float(np.log(self._scale).sum())
        self._target_entropy = of_width_one if target_entropy is None else target_entropy

    @property
    def _policy_optimizer(self) -> optax.GradientTransformation:
        return optax.adam(self._policy_lr)

    @property
    def _qf_optimizer(self) -> optax.GradientTransformation:
        return optax.adam(self._qf_lr)

    def _make_params(self, key: jax.Array) -> dict[str, Any]:
        policy_key, *qf_keys = jax.random.split(key, 3)
        inputs, *hidden, _ = self.policy.sizes
        scale = math.sqrt(2.0)
        sizes = [inputs + self._scale.size, *hidden, 1]
        qfs = {f"qf{i + 1}": make_mlp(k, sizes, scale, 1.0) for i, k in enumerate(qf_keys)}
        log_alpha = math.log(self._fixed_alpha) if self._fixed_alpha else self._initial_log_entropy
        return {
            "policy": make_mlp(policy_key, self.policy.sizes, scale, 0.01),
            "qfs": qfs,
            "target_qfs": jax.tree.map(jnp.copy, qfs),
            "log_alpha": jnp.asarray(log_alpha, float),
        }

    def _make_slots(self, params: Any) -> Any:
        return {
            "policy": self._policy_optimizer.init(params["policy"]),
            "qfs": self._qf_optimizer.init(params["qfs"]),
            "log_alpha": self._policy_optimizer.init(params["log_alpha"]),
        }

    def _weights(self, learner: Learner) -> Mapping[str, Any]:
        policy: Mapping[str, Any] = learner.params["policy"]
        return policy

    # ---- acting -----------------------------------------------------------------------------

    def _random(self, key: jax.Array) -> jax.Array:
        shape = self._num_envs, self._scale.size
        return self._centre + self._scale * jax.random.uniform(key, shape, minval=-1.0)

    def _explore(self, key: jax.Array, params: Any, observation: jax.Array, at: Any) -> jax.Array:
        return self._sample(key, params["policy"], observation)[0]

    def _best(self, params: Any, observation: jax.Array) -> jax.Array:
        mean, _ = self._distribution(params["policy"], observation)
        return self._centre + self._scale * jnp.tanh(mean)

    def _distribution(self, policy: Any, observation: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return means and logarithms of standard deviations, before squashing."""
        mean, log_std = jnp.split(mlp(policy, observation, self._nonlinearity), 2, -1)
        return mean, jnp.clip(log_std, *LOG_STD_RANGE)

    def _sample(
        self, key: jax.Array, policy: Any, observation: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return actions, shape (B, K), and logarithms of their densities, shape (B,)."""
        mean, log_std = self._distribution(policy, observation)
        noise = jax.random.normal(key, mean.shape)
        number = mean + jnp.exp(log_std) * noise
        normal = -0.5 * jnp.square(noise) - log_std - 0.5 * math.log(2 * math.pi)
        # log(1 - tanh(x)^2), in a way that does not round to the logarithm of 0
        squashed = 2.0 * (math.log(2.0) - number - jax.nn.softplus(-2.0 * number))
        log_prob = (normal - squashed - np.log(self._scale)).sum(-1)
        return self._centre + self._scale * jnp.tanh(number), log_prob

    def _values(self, qfs: Any, observation: jax.Array, action: jax.Array) -> list[jax.Array]:
        """Return what each Q-function gives, shape (B,)."""
        inputs = jnp.concatenate([observation, action], -1)
        return [mlp(qfs[name], inputs, self._nonlinearity)[:, 0] for name in ("qf1", "qf2")]

    # ---- learning ---------------------------------------------------------------------------

    def _gradient_step(
        self, key: jax.Array, params: Any, slots: Any, batch: Transitions
    ) -> tuple[Any, Any, dict[str, jax.Array]]:
        next_key, key = jax.random.split(key)
        alpha = jnp.exp(params["log_alpha"])
        next_action, next_log_prob = self._sample(
            next_key, params["policy"], batch.next_observation
        )
        following = self._values(params["target_qfs"], batch.next_observation, next_action)
        soft = jnp.minimum(*following) - alpha * next_log_prob
        target = batch.reward + self._discount * batch.goes_on * soft

        def critic_loss(qfs: Any) -> Any:
            values = self._values(qfs, batch.observation, batch.action)
            lost = sum(0.5 * jnp.square(target - value).mean() for value in values)
            return lost, [value.mean() for value in values]

        (lost, (value1, value2)), gradient = jax.value_and_grad(critic_loss, has_aux=True)(
            params["qfs"]
        )
        updates, qf_slots = self._qf_optimizer.update(gradient, slots["qfs"], params["qfs"])
        qfs = optax.apply_updates(params["qfs"], updates)

        def policy_loss(policy: Any) -> Any:
            action, log_prob = self._sample(key, policy, batch.observation)
            value = jnp.minimum(*self._values(qfs, batch.observation, action))
            return (alpha * log_prob - value).mean(), log_prob

        (policy_lost, log_prob), gradient = jax.value_and_grad(policy_loss, has_aux=True)(
            params["policy"]
        )
        updates, policy_slots = self._policy_optimizer.update(gradient, slots["policy"])
        policy = optax.apply_updates(params["policy"], updates)

        missing = -(log_prob.mean() + self._target_entropy)
        log_alpha, alpha_slots = params["log_alpha"], slots["log_alpha"]
        if self._fixed_alpha is None:
            update, alpha_slots = self._policy_optimizer.update(missing, alpha_slots)
            log_alpha = optax.apply_updates(log_alpha, update)

        targets = optax.incremental_update(qfs, params["target_qfs"], self._target_update_tau)
        metrics = {
            "Loss/Policy": policy_lost,
            "Loss/Critic": lost,
            "Loss/Entropy": params["log_alpha"] * missing,
            "Q-network/Q1": value1,
            "Q-network/Q2": value2,
            "Target/Mean": target.mean(),
            "Coefficient/Entropy": alpha,
            "policy/Entropy": -log_prob.mean(),
        }
        slots = {"policy": policy_slots, "qfs": qf_slots, "log_alpha": alpha_slots}
        params = {"policy": policy, "qfs": qfs, "target_qfs": targets, "log_alpha": log_alpha}
        return params, slots, metrics

    def _rates(self) -> dict[str, float]:
        policy_lr = rate_now(self._policy_lr, self._gradient_steps)
        rates = {
            "Learning/PolicyLearningRate": policy_lr,
            "Learning/CriticLearningRate": rate_now(self._qf_lr, self._gradient_steps),
        }
        return rates if self._fixed_alpha else {**rates, "Learning/EntropyLearningRate": policy_lr}
