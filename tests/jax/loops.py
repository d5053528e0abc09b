"""A PPO of one's own in the manner of PureJaxRL: `loops.py linen|nnx|equinox DIRECTORY`.

With KILL=n in the environment it dies in epoch n; started again it goes on.
"""

import hashlib
import os
import signal
import sys

import equinox
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from flax.training.train_state import TrainState

from garage_like import epochs
from garage_like.experiment.deterministic import set_seed
from garage_like.jax.envs import CartPole
from garage_like.logging import tabular

LIBRARY, DIRECTORY = sys.argv[1:]
N, T = 4, 16
set_seed(0)
env = CartPole()
optimizer = optax.chain(
    optax.clip_by_global_norm(0.5), optax.adam(optax.linear_schedule(3e-3, 0.0, 40))
)


class Linen(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        hidden = flax.linen.tanh(flax.linen.Dense(8)(x))
        return flax.linen.Dense(3)(hidden)


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(4, 8, rngs=rngs)
        self.out = nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(jnp.tanh(self.hidden(x)))


LAYERS = equinox.filter(
    equinox.nn.MLP(4, 3, 8, 1, key=jax.random.key(0)), equinox.is_array, inverse=True
)


def make(key):
    """Return what the library trains, and how outputs follow from it."""
    if LIBRARY == "linen":
        module = Linen()
        params = module.init(key, jnp.zeros(4))
        return TrainState.create(apply_fn=module.apply, params=params, tx=optimizer)
    if LIBRARY == "nnx":
        graph, params = nnx.split(Nnx(nnx.Rngs(key)))
        return graph, params, optimizer.init(params)
    params, _ = equinox.partition(equinox.nn.MLP(4, 3, 8, 1, key=key), equinox.is_array)
    return params, optimizer.init(params)


def outputs(model, params, x):
    if LIBRARY == "linen":
        return model.apply_fn(params, x)
    if LIBRARY == "nnx":
        return nnx.merge(model[0], params)(x)
    apply = equinox.combine(params, LAYERS)
    for _ in x.shape[:-1]:
        apply = jax.vmap(apply)
    return apply(x)


def params_of(model):
    return {"linen": lambda: model.params, "nnx": lambda: model[1]}.get(LIBRARY, lambda: model[0])()


def improved(model, gradient):
    if LIBRARY == "linen":
        return model.apply_gradients(grads=gradient)
    *rest, params, slots = model
    changes, slots = optimizer.update(gradient, slots)
    return (*rest, equinox.apply_updates(params, changes), slots)


def collect(carry, _):
    model, state, observation, key = carry
    key, action_key, env_key = jax.random.split(key, 3)
    logits = jax.nn.log_softmax(outputs(model, params_of(model), observation)[..., :2])
    action = jax.random.categorical(action_key, logits)
    found = jax.vmap(env.step, (0, 0, 0, None))(
        jax.random.split(env_key, N), state, action, env.default_params
    )
    row = observation, action, logits[jnp.arange(N), action], *found[2:4]
    return (model, found[1], found[0], key), row


def update(learner):
    model, *_ = learner
    learner, (observation, action, before, reward, ended) = jax.lax.scan(collect, learner, None, T)

    def back(after, at):
        total = at[0] + 0.99 * after * (1 - at[1])
        return total, total

    returns = jax.lax.scan(back, jnp.zeros(N), (reward, ended), reverse=True)[1]

    def loss(params):
        found = outputs(model, params, observation)
        log_probs = jax.nn.log_softmax(found[..., :2])
        now = jnp.take_along_axis(log_probs, action[..., None], -1)[..., 0]
        gain = jnp.minimum(jnp.exp(now - before), 1.2) * (returns - found[..., 2])
        return jnp.square(found[..., 2] - returns).mean() - gain.mean()

    gradient = equinox.filter_grad(loss)(params_of(model))
    return (improved(model, gradient), *learner[1:]), returns.mean()


step = equinox.filter_jit(update)
key, model_key, env_key = jax.random.split(jax.random.key(0), 3)
observation, state = jax.vmap(env.reset, (0, None))(
    jax.random.split(env_key, N), env.default_params
)
learner = (make(model_key), state, observation, key)

for epoch in epochs(DIRECTORY, 5, globals(), snapshot_mode="all"):
    for _ in range(3):
        learner, average = step(learner)
    tabular.record("AverageReturn", float(average))
    if os.environ.get("KILL") == str(epoch):
        os.kill(os.getpid(), signal.SIGKILL)

digest = hashlib.blake2b(digest_size=8)
for leaf in jax.tree.leaves(learner):
    if isinstance(leaf, jax.Array):
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        digest.update(np.asarray(jax.random.key_data(leaf) if is_key else leaf).tobytes())
print("DIGEST", digest.hexdigest())
