"""Do PPO in a script in the manner of PureJaxRL: all of it one compiled program, nothing saved.

It reads its metrics after each program, of eight updates where a rollout is small.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from works import DISCOUNT, WORKS, Clock, Work, arguments, measure

from garage_like.jax.envs import CartPole
from garage_like.jax.networks import make_mlp, mlp


def ppo(work: Work, updates: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return init(key) and epoch(learner) -> (learner, metrics), compiled, one flag per end.

    Args:
        work: has the hyper-parameters.
        updates: in an epoch.
    """
    env = CartPole()
    params_of_env = env.default_params
    envs, steps = work.n_envs, work.rollout // work.n_envs
    adam = optax.adam(work.learning_rate, eps=1e-5)
    optimizer = optax.chain(optax.clip_by_global_norm(0.5), adam)

    def heads(params, x):
        logits = jax.nn.log_softmax(mlp(params["policy"], x, "tanh"))
        return logits, mlp(params["value"], x, "tanh")[..., 0]

    def init(key):
        policy_key, value_key, env_key, key = jax.random.split(key, 4)
        params = {
            "policy": make_mlp(policy_key, (4, *work.hidden, 2), 2**0.5, 0.01),
            "value": make_mlp(value_key, (4, *work.hidden, 1), 2**0.5, 1.0),
        }
        reset = jax.vmap(env.reset, (0, None))
        observation, state = reset(jax.random.split(env_key, envs), params_of_env)
        return params, optimizer.init(params), state, observation, jnp.zeros(envs), key

    def step(params, carry, _):
        state, observation, total, key = carry
        key, action_key, env_key = jax.random.split(key, 3)
        logits, value = heads(params, observation)
        action = jax.random.categorical(action_key, logits)
        log_prob = jnp.take_along_axis(logits, action[:, None], 1)[:, 0]
        after, state, reward, *ends, _ = jax.vmap(env.step, (0, 0, 0, None))(
            jax.random.split(env_key, envs), state, action, params_of_env
        )
        ended, total = ends[0] | ends[1], total + reward
        row = observation, action, log_prob, value, reward, ended, total
        return (state, after, jnp.where(ended, 0.0, total), key), row

    def loss(params, batch):
        observation, action, old, value_then, advantage, target = batch
        logits, value = heads(params, observation)
        near = value_then + jnp.clip(value - value_then, -0.2, 0.2)
        value_loss = 0.5 * jnp.maximum((value - target) ** 2, (near - target) ** 2).mean()
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = jnp.exp(jnp.take_along_axis(logits, action[:, None], 1)[:, 0] - old)
        gain = jnp.minimum(ratio * advantage, jnp.clip(ratio, 0.8, 1.2) * advantage).mean()
        entropy = -(jnp.exp(logits) * logits).sum(-1).mean()
        return 0.5 * value_loss - gain, (value_loss, -gain, entropy)

    def update(learner, _):
        params, slots, state, observation, total, key = learner
        carry, rows = jax.lax.scan(
            functools.partial(step, params), (state, observation, total, key), None, steps
        )
        state, last, total, key = carry
        observation, action, log_prob, value, reward, ended, totals = rows

        def back(carry, at):
            value, reward, ended = at
            delta = reward + DISCOUNT * (1 - ended) * carry[1] - value
            advantage = delta + DISCOUNT * work.gae_lambda * (1 - ended) * carry[0]
            return (advantage, value), advantage

        start = jnp.zeros(envs), heads(params, last)[1]
        at = value, reward, ended
        advantage = jax.lax.scan(back, start, at, reverse=True, unroll=16)[1]
        batch = (observation, action, log_prob, value, advantage, advantage + value)
        flat = jax.tree.map(lambda x: x.reshape(envs * steps, *x.shape[2:]), batch)
        key, passes_key = jax.random.split(key)

        def one_pass(state, key):
            order = jax.random.permutation(key, envs * steps).reshape(-1, work.batch_size)

            def minibatch(state, indices):
                part = jax.tree.map(lambda x: x[indices], flat)
                (_, losses), gradient = jax.value_and_grad(loss, has_aux=True)(state[0], part)
                changes, slots = optimizer.update(gradient, state[1], state[0])
                return (optax.apply_updates(state[0], changes), slots), losses

            return jax.lax.scan(minibatch, state, order)

        keys = jax.random.split(passes_key, work.passes)
        (params, slots), losses = jax.lax.scan(one_pass, (params, slots), keys)
        metrics = jax.tree.map(jnp.mean, losses), ended, totals
        return (params, slots, state, last, total, key), metrics

    epoch = jax.jit(lambda learner: jax.lax.scan(update, learner, None, updates), donate_argnums=0)
    return jax.jit(init), epoch


def main() -> None:
    given = arguments("JAX")
    work = WORKS[given.work]
    updates = max(1, 16_384 // work.rollout)
    init, epoch = ppo(work, updates)
    epochs = -(-given.steps // (updates * work.rollout))
    given.steps = epochs * updates * work.rollout

    def train(clock: Clock) -> None:
        learner = init(jax.random.key(given.seed))
        for number in range(-1, epochs):
            learner, metrics = epoch(learner)
            jax.tree.map(np.asarray, metrics)
            if number < 0:
                clock.start()

    measure(f"JAX {jax.__version__}, as PureJaxRL", given, train)


if __name__ == "__main__":
    sys.exit(main())
