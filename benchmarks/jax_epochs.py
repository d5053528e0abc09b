"""What the trainer costs PPO in JAX, and what a snapshot of 50 MB costs: processor time.

    python benchmarks/jax_epochs.py [ENVS...]

The other side is a script in the manner of PureJaxRL with the same settings, which logs and saves
nothing but reads its metrics every epoch. Both are compiled first, and take turns.
"""

import contextlib
import functools
import os
import statistics
import sys
import tempfile
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from garage_like import Trainer
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.algos import PPO
from garage_like.jax.envs import CartPole, JaxEnv
from garage_like.jax.networks import make_mlp, mlp
from garage_like.jax.policies import CategoricalMLPPolicy
from garage_like.snapshot import SnapshotConfig
from garage_like.snapshot.capture import capture
from garage_like.snapshot.graph.known_names import KnownNames
from garage_like.snapshot.staging import Staging

UPDATES, WARM = 8, 3


def bare(envs, steps):
    """Return init(key) and epoch(learner) -> (learner, metrics), compiled, one flag per end."""
    env = CartPole()
    params_of_env = env.default_params
    optimizer = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(2.5e-4, eps=1e-5))

    def heads(params, x):
        logits = jax.nn.log_softmax(mlp(params["policy"], x, "tanh"))
        return logits, mlp(params["value"], x, "tanh")[..., 0]

    def init(key):
        policy_key, value_key, env_key, key = jax.random.split(key, 4)
        params = {
            "policy": make_mlp(policy_key, (4, 64, 64, 2), 2**0.5, 0.01),
            "value": make_mlp(value_key, (4, 64, 64, 1), 2**0.5, 1.0),
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
            delta = reward + 0.99 * (1 - ended) * carry[1] - value
            advantage = delta + 0.99 * 0.95 * (1 - ended) * carry[0]
            return (advantage, value), advantage

        start = jnp.zeros(envs), heads(params, last)[1]
        at = value, reward, ended
        advantage = jax.lax.scan(back, start, at, reverse=True, unroll=16)[1]
        batch = (observation, action, log_prob, value, advantage, advantage + value)
        flat = jax.tree.map(lambda x: x.reshape(envs * steps, *x.shape[2:]), batch)
        key, passes_key = jax.random.split(key)

        def one_pass(state, key):
            order = jax.random.permutation(key, envs * steps).reshape(4, -1)

            def minibatch(state, indices):
                part = jax.tree.map(lambda x: x[indices], flat)
                (_, losses), gradient = jax.value_and_grad(loss, has_aux=True)(state[0], part)
                changes, slots = optimizer.update(gradient, state[1], state[0])
                return (optax.apply_updates(state[0], changes), slots), losses

            return jax.lax.scan(minibatch, state, order)

        keys = jax.random.split(passes_key, 4)
        (params, slots), losses = jax.lax.scan(one_pass, (params, slots), keys)
        metrics = jax.tree.map(jnp.mean, losses), ended, totals
        return (params, slots, state, last, total, key), metrics

    epoch = jax.jit(lambda learner: jax.lax.scan(update, learner, None, UPDATES), donate_argnums=0)
    return jax.jit(init), epoch


class Timed(PPO):
    def train_epoch(self, trainer):
        self.marks.append(time.process_time())
        return super().train_epoch(trainer)

    marks: list[float] = []


def bare_seconds(made, epochs):
    init, epoch = made
    learner = init(jax.random.key(0))
    for i in range(epochs):
        if i == WARM:
            began = time.process_time()
        learner, metrics = epoch(learner)
        jax.tree.map(np.asarray, metrics)
    return (time.process_time() - began) / (epochs - WARM)


def trainer_seconds(envs, steps, epochs):
    set_seed(0)
    env = JaxEnv(CartPole())
    algo = Timed(env, CategoricalMLPPolicy(env.spec), num_envs=envs, num_steps=steps)
    algo.marks = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        trainer = Trainer(SnapshotConfig(snapshot_dir=folder))
        trainer.setup(algo, env)
        trainer.train(epochs, batch_size=envs * steps * UPDATES)
    return (algo.marks[-1] - algo.marks[WARM]) / (epochs - 1 - WARM)


def capture_milliseconds(tree):
    staging, known, found = Staging(), KnownNames(), []
    for _ in range(9):
        staging.clear()
        began = time.process_time()
        capture({"algo": {"params": tree}}, staging, known_names=known)
        found.append(1e3 * (time.process_time() - began))
    return statistics.median(found)


if __name__ == "__main__":
    arrays = [jnp.full((1250, 1000), i, jnp.float32) for i in range(10)]
    ours, numpys = (capture_milliseconds(tree) for tree in (arrays, [np.array(a) for a in arrays]))
    print(f"capture of 50 MB: {ours:.1f} ms of JAX, {numpys:.1f} ms of NumPy")
    for envs in map(int, sys.argv[1:] or (8, 128, 2048)):
        steps = max(16, 1024 // envs)
        epochs = {8: 60, 128: 40}.get(envs, 9)
        made = bare(envs, steps)
        pairs = [
            (bare_seconds(made, epochs), trainer_seconds(envs, steps, epochs)) for _ in range(3)
        ]
        theirs, mine = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"{envs} environments: {1e3 * theirs:.1f} ms an epoch bare, {1e3 * mine:.1f} under the"
            f" trainer with logs and snapshots; {theirs / mine:.2f} of its speed",
            flush=True,
        )
