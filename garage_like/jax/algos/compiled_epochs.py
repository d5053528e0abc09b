"""What algorithms in JAX share: one compiled function per epoch, many seeds, many devices."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np

from garage_like import seeding
from garage_like.algos.finite import check_rewards
from garage_like.interfaces import RunHandle
from garage_like.jax.algos.devices import check_devices, placed, places_of
from garage_like.jax.algos.env_copies import BEGUN, EnvCopies, Learner
from garage_like.jax.algos.kept_programs import compiled
from garage_like.jax.algos.rows import EpochRows
from garage_like.jax.envs.functional import shares_state
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.policies.mlp_policies import MLPPolicy

SeedsBy = Literal["vmap", "map"]


class CompiledEpochs(EnvCopies):
    """Collect and learn in one compiled function; what it goes on from is one pytree, `learner`.

    A subclass says what its weights and the optimizers' slots begin as, what an epoch does
    (`_epoch`), and which weights the policy acts on. Memory of the learner is used again from epoch
    to epoch; nothing but the learner passes from one to the next.

    Args:
        env: as it is given to the trainer; `num_envs` of them are stepped.
        policy: acts in NumPy on the weights that are trained.
        num_envs: environments side by side.
        num_steps: env steps of each for an update.
        discount: factor for one env step.
        num_seeds: runs that are trained side by side, which differ by their seed alone. Their
            number changes bits; which others there are does not.
        seeds_by: `'vmap'` trains them at once; `'map'` one after the other, each as if alone.
        num_devices: over how many devices the environments are spread. Their number changes bits.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX.
    """

    _TRAINED: ClassVar[frozenset[str]] = frozenset(
        {"_env", "policy", "_entropy", "_learner", "_rows", "_programs"}
    )
    """Attributes that a program does not depend on, or by their own parts."""

    def __init__(
        self,
        env: JaxEnv,
        policy: MLPPolicy,
        *,
        num_envs: int,
        num_steps: int,
        discount: float,
        num_seeds: int = 1,
        seeds_by: SeedsBy = "vmap",
        num_devices: int = 1,
    ) -> None:
        name = type(self).__name__
        if not isinstance(env, JaxEnv):
            raise TypeError(f"{name}: env must be a JaxEnv, got {env!r}; wrap it: JaxEnv(env)")
        for argument, count in (
            ("num_envs", num_envs),
            ("num_steps", num_steps),
            ("num_seeds", num_seeds),
        ):
            check_positive(name, argument, count)
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"{name}: discount must lie between 0 and 1, got {discount!r}")
        if seeds_by not in ("vmap", "map"):
            raise ValueError(f"{name}: seeds_by must be 'vmap' or 'map', got {seeds_by!r}")
        check_devices(name, num_devices, num_envs)
        self._env = env
        self.policy = policy
        self._num_envs, self._num_steps, self._discount = num_envs, num_steps, discount
        self._num_seeds, self._seeds_by = num_seeds, seeds_by
        self._num_devices = num_devices
        self._entropy = int(seeding.stream("jax").integers(2**31))
        self._learner: Learner | None = None
        self._rows = EpochRows(name, num_seeds)

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but what was compiled."""
        return {name: value for name, value in vars(self).items() if name != "_programs"}

    def change_arguments(self, values: Mapping[str, Any]) -> None:
        """Go on with another discount, say, or on another number of devices; see `Configured`.

        Raises:
            ValueError: if one is out of range, or cannot be changed.
        """
        made_from = {"num_envs", "num_seeds"} & values.keys()
        if made_from:
            raise ValueError(
                f"{type(self).__name__} cannot take another {made_from.pop()} in mid-run"
            )
        super().change_arguments(values)
        check_devices(type(self).__name__, self._num_devices, self._num_envs)
        vars(self).pop("_programs", None)

    @property
    def learner(self) -> Learner:
        """All state of the run; made when it is first asked for."""
        if self._learner is None:
            self._check_state()
            keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(self._entropy), i))(
                np.arange(self._num_seeds)
            )
            # One seed after the other: orthogonal matrices of many at once may wait for each other
            # for ever, on processors with few cores (QR of a batch, in jaxlib 0.10).
            each = functools.partial(jax.lax.map, self._init)
            init = jax.jit(self._init if self._num_seeds == 1 else each)
            self._set_learner(init(keys[0] if self._num_seeds == 1 else keys))
        return self._learner  # type: ignore[return-value]

    def _check_state(self) -> None:
        at_once = self._num_seeds > 1 and self._seeds_by == "vmap"
        if (at_once or self._num_devices > 1) and shares_state(
            self._env.functions, self._env.params
        ):
            raise ValueError(
                f"{type(self).__name__}: environments of this kind that are stepped at once have"
                " part of their state in common (as MJX's do by Warp), so they cannot be spread"
                " over devices or seeds: expected num_devices=1, and num_seeds=1 or"
                " seeds_by='map'; of MuJoCo Playground, registry.load(name,"
                " config_overrides={'impl': 'jax'}) shares nothing"
            )

    def _set_learner(self, learner: Learner) -> None:
        self._learner = learner
        self.policy.params = self._weights(learner)
        self.policy.seed_index = None if self._num_seeds == 1 else self.policy.seed_index or 0

    def train_epoch(self, trainer: RunHandle) -> float:
        """Run one compiled epoch; return the average return of the episodes that ended in it."""
        updates = self._num_updates(trainer.train_args["batch_size"])
        axis = 0 if self._num_seeds == 1 else 1
        check_devices(type(self).__name__, self._num_devices, self._num_envs)
        if not self._programs and jnp.result_type(float) == np.float64:
            self._widen()
        learner = placed(self._take_learner(), self._num_devices, axis)
        counts = self._counts()
        program = self._programs.get(updates)
        if program is None:
            function = jax.jit(
                functools.partial(self._all_seeds, updates),
                donate_argnums=0,
                out_shardings=None if self._num_devices == 1 else (places_of(learner), None),
            )
            read = self._settings(), updates, trainer.own_values()
            program = compiled(function, (learner, counts), trainer.cache_dir, read)
            self._programs[updates] = program
        self._learner, self.policy.params = None, {}  # their memory is used again
        learner, metrics = program(learner, counts)
        self._set_learner(self._finish_epoch(learner, updates))
        found = jax.tree.map(np.asarray, metrics)  # the one place that waits for the device
        check_rewards(type(self).__name__, np.asarray(learner.episode))  # of what is under way
        trainer.total_env_steps += updates * self._steps_per_update * self._num_seeds
        trainer.step_itr += updates
        return self._rows.record(trainer.step_itr - 1, found, self._others())

    def _widen(self) -> None:
        """Give a run that began without 64-bit types those that it would begin with now."""
        like = jax.eval_shape(self._init, jax.random.key(0))
        self._set_learner(
            jax.tree.map(
                lambda x, new: x if x.dtype == new.dtype else x.astype(new.dtype),
                self.learner,
                like,
            )
        )

    @functools.cached_property
    def _programs(self) -> dict[int, Any]:
        """What was compiled, by the number of updates."""
        return {}

    def _settings(self) -> Any:
        """Return all that an epoch reads beside its arguments: what training does not change."""
        return (
            type(self),
            {name: value for name, value in vars(self).items() if name not in self._TRAINED},
            (type(self.policy), self.policy.settings()),
            (type(self._env), self._env.functions, self._env.params, self._env.spec),
        )

    def _all_seeds(self, updates: int, learner: Learner, counts: Any) -> Any:
        def each(learner: Learner) -> Any:
            learner, found = self._epoch(learner, counts, updates)
            finite = [jnp.isfinite(x).all() for x in jax.tree.leaves(learner.params)]
            return learner, {**found, "finite": jnp.stack(finite).all()}

        if self._num_seeds == 1:
            return each(learner)
        return jax.vmap(each)(learner) if self._seeds_by == "vmap" else jax.lax.map(each, learner)

    def _num_updates(self, batch_size: int | None) -> int:
        """Return how many updates an epoch of that many env steps has."""
        per_update = self._steps_per_update
        updates, rest = divmod(per_update if batch_size is None else batch_size, per_update)
        if rest or not updates:
            raise ValueError(
                f"{type(self).__name__}: batch_size must be a multiple of the {per_update} env"
                f" steps that an update takes, got {batch_size!r}"
            )
        return updates

    @property
    def _steps_per_update(self) -> int:
        return self._num_envs * self._num_steps

    # ---- what an algorithm says -------------------------------------------------------------

    def _make_params(self, key: jax.Array) -> Any:
        """Return the weights that a run begins with."""
        raise NotImplementedError(f"{type(self).__name__} must implement _make_params")

    def _make_slots(self, params: Any) -> Any:
        """Return what the optimizers begin with."""
        raise NotImplementedError(f"{type(self).__name__} must implement _make_slots")

    def _epoch(self, learner: Learner, counts: Any, updates: int) -> tuple[Learner, dict[str, Any]]:
        """Collect and learn `updates` times.

        Args:
            learner: what to go on from.
            counts: what `_counts` said.
            updates: how often.

        Returns:
            The learner, and what `EpochRows` makes a row of.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement _epoch")

    def _weights(self, learner: Learner) -> Mapping[str, Any]:
        """Return the weights that the policy acts on."""
        raise NotImplementedError(f"{type(self).__name__} must implement _weights")

    def _counts(self) -> Any:
        """Return numbers that an epoch goes by, and that all seeds have in common."""
        return ()

    def _take_learner(self) -> Learner:
        """Return what an epoch goes on from; its memory is used again."""
        return self.learner

    def _finish_epoch(self, learner: Learner, updates: int) -> Learner:
        """Take note of an epoch that ran; return what is kept of the learner."""
        return learner

    def _others(self) -> dict[str, float]:
        """Return metrics of the epoch that all seeds have in common."""
        return {}

    # ---- the beginning ----------------------------------------------------------------------

    def _init(self, key: jax.Array) -> Learner:
        """Return what a run begins with."""
        params_key, env_key, key = jax.random.split(key, 3)
        params = self._make_params(params_key)
        observation, env_state = self._begin(env_key, self._num_envs)
        episode = jnp.tile(BEGUN, (self._num_envs, 1))
        return Learner(params, self._make_slots(params), env_state, observation, episode, key)

    @property
    def _nonlinearity(self) -> str:
        return self.policy.hidden_nonlinearity


def check_positive(owner: str, name: str, value: Any) -> None:
    """Raise unless an argument is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{owner}: {name} must be a positive integer, got {value!r}")
