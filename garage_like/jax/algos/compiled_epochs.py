"""What algorithms in JAX share: one compiled function per epoch, many seeds, rows of the log."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np

from garage_like import seeding
from garage_like.interfaces import RLAlgorithm, RunHandle
from garage_like.jax.envs.jax_env import JaxEnv
from garage_like.jax.policies.mlp_policies import MLPPolicy
from garage_like.logging import tabular

SeedsBy = Literal["vmap", "map"]
Learner = Any
"""All state of a run, a pytree; with many seeds, each array has one more axis in front."""

RECENT_EPISODES = 100


class CompiledEpochs(RLAlgorithm):
    """Collect and learn in one compiled function; what it goes on from is one pytree, `learner`.

    A subclass says how a run begins (`_init`), what an epoch does (`_epoch`), and which of the
    learner's weights the policy acts on (`_weights`). Memory of the learner is used again from
    epoch to epoch; nothing but the learner passes from one to the next.

    Args:
        env: as it is given to the trainer.
        policy: acts in NumPy on the weights that are trained.
        num_seeds: runs that are trained side by side, which differ by their seed alone. Their
            number changes bits; which others there are does not.
        seeds_by: `'vmap'` trains them at once; `'map'` one after the other, each as if alone.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the environment is none in JAX.
    """

    policy: MLPPolicy

    def __init__(
        self, env: JaxEnv, policy: MLPPolicy, num_seeds: int = 1, seeds_by: SeedsBy = "vmap"
    ) -> None:
        name = type(self).__name__
        if not isinstance(env, JaxEnv):
            raise TypeError(f"{name}: env must be a JaxEnv, got {env!r}; wrap it: JaxEnv(env)")
        if isinstance(num_seeds, bool) or not isinstance(num_seeds, int) or num_seeds < 1:
            raise ValueError(f"{name}: num_seeds must be a positive integer, got {num_seeds!r}")
        if seeds_by not in ("vmap", "map"):
            raise ValueError(f"{name}: seeds_by must be 'vmap' or 'map', got {seeds_by!r}")
        self._env = env
        self.policy = policy
        self._num_seeds, self._seeds_by = num_seeds, seeds_by
        self._entropy = int(seeding.stream("jax").integers(2**31))
        self._learner: Learner = None
        self._recent_returns: list[list[float]] = [[] for _ in range(num_seeds)]

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but what was compiled."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    @property
    def learner(self) -> Learner:
        """All state of the run; made when it is first asked for."""
        if self._learner is None:
            keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(self._entropy), i))(
                np.arange(self._num_seeds)
            )
            first = keys[0] if self._num_seeds == 1 else keys
            init = self._init if self._num_seeds == 1 else jax.vmap(self._init)
            self._set_learner(jax.jit(init)(first))
        return self._learner

    def _set_learner(self, learner: Learner) -> None:
        self._learner = learner
        self.policy.params = self._weights(learner)
        self.policy.seed_index = None if self._num_seeds == 1 else self.policy.seed_index or 0

    def train_epoch(self, trainer: RunHandle) -> float:
        """Run one compiled epoch; return the average return of the episodes that ended in it."""
        updates = self._num_updates(trainer.train_args["batch_size"])
        learner = self.learner
        self.policy.params = {}  # its memory is used again
        learner, metrics = self._compiled(learner, updates)
        self._set_learner(learner)
        found = jax.tree.map(np.asarray, metrics)  # the one place that waits for the device
        trainer.total_env_steps += updates * self._steps_per_update * self._num_seeds
        trainer.step_itr += updates
        return self._record(trainer.step_itr - 1, found)

    @functools.cached_property
    def _compiled(self) -> Any:
        def epoch(learner: Learner, updates: int) -> Any:
            if self._num_seeds == 1:
                return self._epoch(learner, updates)
            each = functools.partial(self._epoch, updates=updates)
            if self._seeds_by == "vmap":
                return jax.vmap(each)(learner)
            return jax.lax.map(each, learner)

        return jax.jit(epoch, static_argnums=1, donate_argnums=0)

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

    # ---- what an algorithm says -------------------------------------------------------------

    @property
    def _steps_per_update(self) -> int:
        """Env steps that are collected for an update."""
        raise NotImplementedError(f"{type(self).__name__} must implement _steps_per_update")

    def _init(self, key: jax.Array) -> Learner:
        """Return what a run begins with."""
        raise NotImplementedError(f"{type(self).__name__} must implement _init")

    def _epoch(self, learner: Learner, updates: int) -> tuple[Learner, dict[str, Any]]:
        """Collect and learn `updates` times.

        Returns:
            The learner, and numbers for the log: each by its key, of any shape; and `episodes`,
            four arrays of one shape: whether an episode ended there, its return, its discounted
            return, and whether it terminated.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement _epoch")

    def _weights(self, learner: Learner) -> Mapping[str, Any]:
        """Return the weights that the policy acts on."""
        raise NotImplementedError(f"{type(self).__name__} must implement _weights")

    # ---- the row of an epoch ----------------------------------------------------------------

    def _record(self, itr: int, found: dict[str, Any]) -> float:
        """Record the metrics of an epoch; of many seeds, their means, and how far they lie apart.

        Returns:
            The average return.

        Raises:
            ValueError: if a loss is not finite.
        """
        seeds = range(self._num_seeds)
        rows = [
            self._row(
                i, found if self._num_seeds == 1 else jax.tree.map(lambda x, i=i: x[i], found)
            )
            for i in seeds
        ]
        tabular.record("Evaluation/Iteration", itr)
        for key in rows[0]:
            tabular.record(key, _mean([row[key] for row in rows]))
        returns = [row["Evaluation/AverageReturn"] for row in rows]
        if self._num_seeds > 1:
            for i, value in enumerate(returns):
                tabular.record(f"Seeds/{i}/AverageReturn", value)
            known = [value for value in returns if math.isfinite(value)] or [math.nan]
            tabular.record("Seeds/StdOfAverageReturn", float(np.std(known)))
            tabular.record("Seeds/MinOfAverageReturn", min(known))
            tabular.record("Seeds/MaxOfAverageReturn", max(known))
        return _mean(returns)

    def _row(self, seed: int, found: dict[str, Any]) -> dict[str, float]:
        ended, returns, discounted, terminated = found.pop("episodes")
        row = _performance(returns[ended], discounted[ended], terminated[ended])
        for key, values in found.items():
            row[key] = float(np.mean(values, dtype=np.float64))
            if key.startswith(("policy/Loss", "Loss/")) and not math.isfinite(row[key]):
                raise ValueError(
                    f"{type(self).__name__}: {key} is {row[key]}; expected a finite number. Is a"
                    " reward or an observation not finite? Else lower the learning rate"
                )
        recent = self._recent_returns[seed]
        recent += [float(value) for value in returns[ended]]
        del recent[:-RECENT_EPISODES]
        row["Extras/EpisodeRewardMean"] = _mean(recent)
        return row


def _performance(
    returns: np.ndarray, discounted: np.ndarray, terminated: np.ndarray
) -> dict[str, float]:
    """Name what `evaluation.log_performance` records of episodes."""
    returns = returns.astype(np.float64)
    return {
        "Evaluation/NumEpisodes": len(returns),
        "Evaluation/AverageDiscountedReturn": _mean(discounted.astype(np.float64)),
        "Evaluation/AverageReturn": _mean(returns),
        "Evaluation/StdReturn": float(returns.std()) if len(returns) else math.nan,
        "Evaluation/MaxReturn": float(returns.max()) if len(returns) else math.nan,
        "Evaluation/MinReturn": float(returns.min()) if len(returns) else math.nan,
        "Evaluation/TerminationRate": _mean(terminated.astype(np.float64)),
    }


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else math.nan
