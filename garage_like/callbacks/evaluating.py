"""EvalCallback: play the policy in an environment of its own, away from training."""

from __future__ import annotations

import math

from garage_like.algos.evaluation_rounds import EvaluationRounds
from garage_like.callbacks.callback import Callback, EndedEpoch
from garage_like.interfaces import Environment
from garage_like.logging import logger
from garage_like.snapshot.rng import get_global_rng, set_global_rng


class EvalCallback(Callback):
    """Evaluate the policy once in a while; rows get `Eval/AverageReturn` and so on.

    Training goes on as if nothing had been: copies of the environment are stepped, random numbers
    are of its own, and env steps are not counted.

    Args:
        eval_env: where; normalises as training does, and learns nothing.
        n_eval_episodes: in each round.
        eval_freq: epochs from one round to the next.
        deterministic: take the mode of the policy's distribution instead of a sample.
        prefix: of the columns.

    Attributes:
        last_mean_reward: average return of the last round.
        best_mean_reward: of the best.
    """

    def __init__(
        self,
        eval_env: Environment,
        *,
        n_eval_episodes: int = 5,
        eval_freq: int = 1,
        deterministic: bool = True,
        prefix: str = "Eval",
    ) -> None:
        for name, value in (("n_eval_episodes", n_eval_episodes), ("eval_freq", eval_freq)):
            if value < 1:
                raise ValueError(f"EvalCallback: {name} must be at least 1, got {value!r}")
        self.eval_env = eval_env
        self.eval_freq = eval_freq
        self.prefix = prefix
        self.last_mean_reward = math.nan
        self.best_mean_reward = -math.inf
        self._rounds = EvaluationRounds(n_eval_episodes, eval_env, deterministic=deterministic)

    def on_epoch_end(self, ended: EndedEpoch) -> None:
        """Play a round, if it is time for one."""
        if (ended.epoch + 1) % self.eval_freq:
            return
        discount = float(getattr(ended.algo, "discount", getattr(ended.algo, "_discount", 1.0)))
        before = get_global_rng()  # a policy may draw actions from its framework's generator
        try:
            found = self._rounds.play(ended.trainer, ended.algo.policy, discount, self.prefix)
        finally:
            set_global_rng(before)
        self.last_mean_reward = found
        if found > self.best_mean_reward:
            self.best_mean_reward = found
            logger.log(f"New best average return of {self.prefix}: {found:.6g}")
