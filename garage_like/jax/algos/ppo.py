"""PPO: proximal policy optimization, an epoch in one compiled function."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from garage_like.jax.algos.compiled_epochs import CompiledEpochs, SeedsBy
from garage_like.jax.algos.env_copies import Learner
from garage_like.jax.algos.rows import episodes_of
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.networks import make_mlp, mlp
from garage_like.jax.policies.mlp_policies import (
    CategoricalMLPPolicy,
    GaussianMLPPolicy,
    MLPPolicy,
)


class _Steps(NamedTuple):
    """What was collected, shape (T, N, ...)."""

    observation: jax.Array
    action: jax.Array
    log_prob: jax.Array
    value: jax.Array
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array
    final_observation: jax.Array
    episode: jax.Array


class PPO(CompiledEpochs):
    """Take many gradient steps on a batch, but none for leaving the old policy's neighbourhood.

    Schulman et al. 2017, arXiv:1707.06347. Differs from the paper: the value function has its own
    network, and its change is clipped as the policy's is.

    Args:
        policy: what is trained: a CategoricalMLPPolicy or a GaussianMLPPolicy.
        learning_rate: of Adam; or a schedule of optax, of the number of gradient steps.
        num_minibatches: of a pass.
        num_passes: over the steps of an update.
        gae_lambda: 0 trusts the value function, 1 the rewards (arXiv:1506.02438).
        lr_clip_range: by how much the likelihood ratio may differ from 1 and still count.
        value_coeff: weight of the value function's loss.
        policy_ent_coeff: weight of the entropy of the policy.
        max_grad_norm: what the norm of a gradient is clipped to.
        num_seeds: runs that are trained side by side; see CompiledEpochs.
        seeds_by: `'vmap'` or `'map'`; see CompiledEpochs.
        num_devices: over how many devices the environments are spread; see CompiledEpochs.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX, or the policy is of another kind.
    """

    METRICS = {
        "policy/LossBefore": "Loss in the first pass over an update's steps.",
        "policy/LossAfter": "Loss in the last pass.",
        "policy/dLoss": "LossBefore - LossAfter.",
        "policy/KLBefore": "0: the policy that is updated is the policy that sampled.",
        "policy/KL": "Estimate of KL(old || new) in the last pass, in nats (Schulman's third).",
        "policy/Entropy": "Mean entropy of the actions in the last pass, in nats.",
        "policy/Perplexity": "exp(Entropy): how many actions the policy chooses among.",
        "Loss/Value": "Mean squared error of the value function, in the first pass.",
        "ValueFunction/ExplainedVariance": "1 - Var(returns - values) / Var(returns), before it.",
        "Extras/EpisodeRewardMean": "Mean return of the last 100 episodes.",
        "Extras/EpisodeLengthMean": "Mean length of the last 100 episodes.",
    }

    def __init__(
        self,
        env: JaxEnv,
        policy: MLPPolicy,
        num_envs: int = 8,
        num_steps: int = 128,
        learning_rate: Any = 2.5e-4,
        num_minibatches: int = 4,
        num_passes: int = 4,
        discount: float = 0.99,
        gae_lambda: float = 0.95,
        lr_clip_range: float = 0.2,
        value_coeff: float = 0.5,
        policy_ent_coeff: float = 0.0,
        max_grad_norm: float = 0.5,
        num_seeds: int = 1,
        seeds_by: SeedsBy = "vmap",
        num_devices: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(
            env,
            policy,
            num_envs=num_envs,
            num_steps=num_steps,
            discount=discount,
            num_seeds=num_seeds,
            seeds_by=seeds_by,
            num_devices=num_devices,
        )
        if not isinstance(policy, CategoricalMLPPolicy | GaussianMLPPolicy):
            raise TypeError(
                "PPO: policy must be a CategoricalMLPPolicy or a GaussianMLPPolicy of"
                f" garage_like.jax.policies, got {policy!r}"
            )
        if isinstance(policy, CategoricalMLPPolicy) != env.spec.is_discrete:
            raise ValueError(
                f"PPO: {type(policy).__name__} does not go with actions in {env.action_space}"
            )
        if num_envs * num_steps % num_minibatches:
            raise ValueError(
                f"PPO: num_minibatches={num_minibatches!r} must divide num_envs * num_steps ="
                f" {num_envs * num_steps}"
            )
        if not 0.0 < lr_clip_range < 1.0:
            raise ValueError(f"PPO: lr_clip_range must lie between 0 and 1, got {lr_clip_range!r}")
        self._learning_rate = learning_rate
        self._num_minibatches, self._num_passes = num_minibatches, num_passes
        self._gae_lambda = gae_lambda
        self._lr_clip_range = lr_clip_range
        self._value_coeff, self._policy_ent_coeff = value_coeff, policy_ent_coeff
        self._max_grad_norm = max_grad_norm

    @property
    def _optimizer(self) -> optax.GradientTransformation:
        return optax.chain(
            optax.clip_by_global_norm(self._max_grad_norm),
            optax.adam(self._learning_rate, eps=1e-5),
        )

    def _weights(self, learner: Learner) -> Mapping[str, Any]:
        policy: Mapping[str, Any] = learner.params["policy"]
        return policy

    def _make_params(self, key: jax.Array) -> dict[str, Any]:
        policy_key, value_key = jax.random.split(key)
        sizes, scale = self.policy.sizes, math.sqrt(2.0)
        policy = make_mlp(policy_key, sizes, scale, 0.01)
        if isinstance(self.policy, GaussianMLPPolicy):
            policy["log_std"] = jnp.zeros(sizes[-1])
        value_function = make_mlp(value_key, [*sizes[:-1], 1], scale, 1.0)
        return {"policy": policy, "value_function": value_function}

    def _make_slots(self, params: Any) -> Any:
        return self._optimizer.init(params)

    # ---- an epoch ---------------------------------------------------------------------------

    def _epoch(self, learner: Learner, counts: Any, updates: int) -> tuple[Learner, dict[str, Any]]:
        return jax.lax.scan(self._update, learner, None, updates)

    def _update(self, learner: Learner, _: None) -> tuple[Learner, dict[str, Any]]:
        """Collect, estimate advantages, and take `num_passes` over the steps."""
        learner, steps = jax.lax.scan(self._collect, learner, None, self._num_steps)
        advantages = self._advantages(learner, steps)
        returns = advantages + steps.value
        key, passes_key = jax.random.split(learner.key)
        rows = jax.tree.map(
            lambda x: x.reshape(self._steps_per_update, *x.shape[2:]),
            (steps.observation, steps.action, steps.log_prob, steps.value, advantages, returns),
        )
        (params, slots), losses = jax.lax.scan(
            functools.partial(self._pass, rows),
            (learner.params, learner.slots),
            jax.random.split(passes_key, self._num_passes),
        )
        first, last = (jax.tree.map(lambda x, i=i: x[i].mean(), losses) for i in (0, -1))
        metrics = {
            "policy/LossBefore": first["policy"],
            "policy/LossAfter": last["policy"],
            "policy/dLoss": first["policy"] - last["policy"],
            "policy/KLBefore": jnp.zeros(()),
            "policy/KL": last["kl"],
            "policy/Entropy": last["entropy"],
            "policy/Perplexity": jnp.exp(last["entropy"]),
            "Loss/Value": first["value"],
            "ValueFunction/ExplainedVariance": 1.0 - advantages.var() / (returns.var() + 1e-8),
            "episodes": episodes_of(steps.episode, steps.terminated, steps.truncated),
        }
        return learner._replace(params=params, slots=slots, key=key), metrics

    def _collect(self, learner: Learner, _: None) -> tuple[Learner, _Steps]:
        """Take one env step in every environment."""
        key, action_key, env_key = jax.random.split(learner.key, 3)
        observation = learner.observation
        outputs = mlp(learner.params["policy"], self._flat(observation), self._nonlinearity)
        action = self._sample(action_key, learner.params["policy"], outputs)
        log_prob = self._log_prob(learner.params["policy"], outputs, action)[0]
        value = self._value(learner.params, observation)
        learner, moved, episode = self._step(learner._replace(key=key), env_key, action)
        return learner, _Steps(
            observation,
            action,
            log_prob,
            value,
            moved.reward,
            moved.terminated,
            moved.truncated,
            moved.final_observation,
            episode,
        )

    def _advantages(self, learner: Learner, steps: _Steps) -> jax.Array:
        """Estimate advantages by GAE, arXiv:1506.02438 equation 16; shape (T, N)."""
        last = self._value(learner.params, learner.observation)
        following = jnp.concatenate([steps.value[1:], last[None]])
        # Only where an episode was cut off does what follows differ from the next step's value.
        following = jax.lax.cond(
            steps.truncated.any(),
            lambda: jnp.where(
                steps.truncated,
                self._value(learner.params, steps.final_observation),
                following,
            ),
            lambda: following,
        )
        deltas = steps.reward + self._discount * following * ~steps.terminated - steps.value
        goes_on = ~(steps.terminated | steps.truncated)

        def back(advantage: jax.Array, at: tuple[jax.Array, jax.Array]) -> Any:
            delta, on = at
            advantage = delta + self._discount * self._gae_lambda * on * advantage
            return advantage, advantage

        zeros = jnp.zeros(self._num_envs)
        return jax.lax.scan(back, zeros, (deltas, goes_on), reverse=True, unroll=16)[1]

    def _pass(self, rows: Any, state: tuple[Any, Any], key: jax.Array) -> Any:
        """Go over all steps once, in minibatches."""
        # jax.random.permutation sorts twice, which took a third of an epoch of many steps.
        order = jnp.argsort(jax.random.bits(key, (self._steps_per_update,)))

        def gradient_step(state: tuple[Any, Any], indices: jax.Array) -> Any:
            params, slots = state
            minibatch = jax.tree.map(lambda x: x[indices], rows)
            gradient, losses = jax.grad(self._loss, has_aux=True)(params, minibatch)
            updates, slots = self._optimizer.update(gradient, slots, params)
            return (optax.apply_updates(params, updates), slots), losses

        return jax.lax.scan(gradient_step, state, order.reshape(self._num_minibatches, -1))

    # ---- the loss ---------------------------------------------------------------------------

    def _loss(self, params: Any, minibatch: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Compute the clipped objective, equations 7 and 9, with its sign turned."""
        observation, action, old_log_prob, old_value, advantages, returns = minibatch
        outputs = mlp(params["policy"], self._flat(observation), self._nonlinearity)
        log_prob, entropy = self._log_prob(params["policy"], outputs, action)
        difference = log_prob - old_log_prob
        ratio = jnp.exp(difference)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        low, high = 1.0 - self._lr_clip_range, 1.0 + self._lr_clip_range
        gain = jnp.minimum(ratio * advantages, jnp.clip(ratio, low, high) * advantages).mean()
        value = self._value(params, observation)
        near = old_value + jnp.clip(value - old_value, -self._lr_clip_range, self._lr_clip_range)
        squared = jnp.square(value - returns)
        value_loss = 0.5 * jnp.maximum(squared, jnp.square(near - returns)).mean()
        entropy = entropy.mean()
        policy_loss = -gain - self._policy_ent_coeff * entropy
        losses = {
            "policy": policy_loss,
            "value": squared.mean(),
            "entropy": entropy,
            "kl": (ratio - 1.0 - difference).mean(),
        }
        return policy_loss + self._value_coeff * value_loss, losses

    def _value(self, params: Any, observation: jax.Array) -> jax.Array:
        return mlp(params["value_function"], self._flat(observation), self._nonlinearity)[..., 0]

    def _sample(self, key: jax.Array, policy: Any, outputs: jax.Array) -> jax.Array:
        if self._env.spec.is_discrete:
            return jax.random.categorical(key, outputs)
        return outputs + jnp.exp(policy["log_std"]) * jax.random.normal(key, outputs.shape)

    def _log_prob(
        self, policy: Any, outputs: jax.Array, action: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return logarithms of the actions' probabilities, and entropies, each of shape (N,)."""
        if self._env.spec.is_discrete:
            log_probs = jax.nn.log_softmax(outputs)
            entropy = -(jnp.exp(log_probs) * log_probs).sum(-1)
            return jnp.take_along_axis(log_probs, action[..., None], -1)[..., 0], entropy
        log_std = policy["log_std"]
        normed = (action - outputs) * jnp.exp(-log_std)
        half_log = 0.5 * math.log(2 * math.pi)
        log_prob = (-0.5 * jnp.square(normed) - log_std - half_log).sum(-1)
        entropy = (log_std + half_log + 0.5).sum()
        return log_prob, jnp.broadcast_to(entropy, log_prob.shape)
