"""Training: what is trained, how far it is, and what its algorithm may ask for.

The trainer's loop is in `trainer.py`; here is what an algorithm calls while its epoch runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from garage_like.callbacks.calling import Callbacks
from garage_like.data.normalizers import pooled_normalizers, use_normalizers
from garage_like.envs.screen import has_screen
from garage_like.errors import NotSetupError
from garage_like.logging import heard, logger, tabular, track_episodes
from garage_like.sampler.local_sampler import LocalSampler
from garage_like.snapshot.rng import get_global_rng, set_global_rng
from garage_like.trainer.record import sampler_of, trained_envs
from garage_like.trainer.state import Stats, TrainArgs

if TYPE_CHECKING:
    from garage_like.data.batches import EpisodeBatch
    from garage_like.interfaces import Environment, RLAlgorithm, Sampler
    from garage_like.snapshot.kinds.environments import EnvStates


LONGEST_SHOWN = 1000
"""Env steps of an episode that `plot` shows, if nothing else ends it."""


class Training:
    """Hold an algorithm and its environment; collect env steps and count them.

    Attributes:
        step_itr: garage's counter of train calls; algorithms that loop themselves advance it.
        step_episode: what the epoch collected, for `store_episodes`.
        enable_logging: whether the epoch's row is logged.
    """

    def __init__(self) -> None:
        self._algo: RLAlgorithm | None = None
        self._env: Environment | None = None
        self._stats = Stats()
        self._train_args: TrainArgs | None = None
        self.step_itr = 0
        self.step_episode: Any = None
        self.enable_logging = True
        self._shows_nothing = False
        self._callbacks = Callbacks()

    def obtain_episodes(
        self,
        itr: int,
        batch_size: int | None = None,
        agent_update: Any = None,
        env_update: Any = None,
    ) -> EpisodeBatch:
        """Collect env steps with the current policy.

        Args:
            itr: the counter of train calls, for logs.
            batch_size: env steps wanted; None: as `train` was told.
            agent_update: a policy or its parameters; None: the algorithm's policy.
            env_update: what changes the workers' environments, if anything.

        Raises:
            NotSetupError: if the algorithm has no sampler, nor a policy to make one with.
            ValueError: if no batch size was given here or to `train`.
        """
        if self._algo is None:
            raise NotSetupError("obtain_episodes: nothing is set up; call setup(algo, env) first")
        sampler = self._sampler or self._default_sampler()
        wanted = batch_size if batch_size is not None else self._args_of_training().batch_size
        if wanted is None:
            raise ValueError(
                "obtain_episodes: no batch size; expected train(n_epochs, batch_size=...) or"
                " obtain_episodes(itr, batch_size=...)"
            )
        policy = self._algo.policy if agent_update is None else agent_update
        episodes = sampler.obtain_samples(itr, wanted, agent_update=policy, env_update=env_update)
        self._stats.total_env_steps += episodes.num_steps
        self._stats.total_episodes += sum(episodes.have_ended.tolist())
        track_episodes(episodes)
        self.step_episode = episodes
        return episodes

    def obtain_samples(
        self,
        itr: int,
        batch_size: int | None = None,
        agent_update: Any = None,
        env_update: Any = None,
    ) -> list[dict[str, Any]]:
        """Collect env steps as `obtain_episodes` does; return a dict of arrays for each episode."""
        return self.obtain_episodes(itr, batch_size, agent_update, env_update).to_list()

    @property
    def algo(self) -> RLAlgorithm | None:
        """What is trained: as it was set up or restored; None before."""
        return self._algo

    @property
    def total_env_steps(self) -> int:
        """Env steps of the run so far, over all resumes."""
        return self._stats.total_env_steps

    @total_env_steps.setter
    def total_env_steps(self, value: int) -> None:
        self._stats.total_env_steps = value

    @property
    def env(self) -> Environment:
        """The environment that was set up or restored.

        Raises:
            NotSetupError: if there is none.
        """
        if self._env is None:
            raise NotSetupError("there is no environment; call setup or restore first")
        return self._env

    @property
    def trained_envs(self) -> Sequence[Environment]:
        """The environments that are trained in: those of the sampler, or the trainer's."""
        return trained_envs(self._algo, self._env)

    def get_env_copy(self) -> Environment:
        """Return a copy of the environment, in the same state, that shares nothing with it.

        It films nothing, and writes no monitor's file.
        """
        from garage_like.envs.copy import without_effects
        from garage_like.snapshot.graph.pickling import copy_exactly
        from garage_like.snapshot.kinds.environments import KnownEnvs

        known = self._env_states()
        try:
            copied = copy_exactly(self.env, known)
        except Exception:  # unless it can be built again, which is found out before the first save
            with heard():
                if not isinstance(known, KnownEnvs) or not known.learn(self.env).rebuild:
                    raise
            copied = copy_exactly(self.env, known)
        return without_effects(copied, windows=True)

    def get_evaluation_env(self) -> Environment:
        """Return a copy that normalises as all of training does, and learns no further."""
        copied = self.get_env_copy()
        use_normalizers(copied, pooled_normalizers(self.trained_envs))
        return copied

    def _env_states(self) -> EnvStates:
        """Return what is known of environments that pickle wrongly, or not at all."""
        return {}

    def log_diagnostics(self, pause_for_plot: bool = False) -> None:
        """Record what every epoch's row has, and show the policy if `plot` was asked for."""
        tabular.record("TotalEnvSteps", self._stats.total_env_steps)
        exec_times = getattr(self._sampler, "exec_times", None)
        for key, value in exec_times().items() if exec_times is not None else ():
            tabular.record(key, value)
        if self._args_of_training().plot:
            self._show_policy(pause_for_plot)

    def _show_policy(self, pause: bool) -> None:
        """Play an episode in a window, in a copy of the environment; training is left as it was.

        What cannot be shown is told of once, and training goes on.
        """
        from garage_like.evaluation import rollout

        if self._shows_nothing:
            return
        before = get_global_rng()
        try:
            if not has_screen():
                raise RuntimeError("there is no screen to open a window on")
            with contextlib.closing(self.get_evaluation_env()) as env:
                policy = self._algo.policy  # type: ignore[union-attr]
                limit = env.spec.max_episode_length or LONGEST_SHOWN
                rollout(env, policy, max_episode_length=limit, animated=True)
            if pause:
                input("Plotting policy; press Enter to go on...")
        except (Exception, SystemExit) as error:
            self._shows_nothing = True
            logger.log(f"plot=True: the policy cannot be shown, training goes on: {error}")
        finally:
            set_global_rng(before)

    @property
    def train_args(self) -> dict[str, Any]:
        """Arguments of the training that runs or was restored."""
        return asdict(self._args_of_training())

    def _args_of_training(self) -> TrainArgs:
        if self._train_args is None:
            raise NotSetupError("nothing is being trained; call train(n_epochs, batch_size) first")
        return self._train_args

    @property
    def _sampler(self) -> Sampler | None:
        """What the algorithm draws episodes from."""
        found: Sampler | None = sampler_of(self._algo)
        return found

    def _default_sampler(self) -> Sampler:
        """Give an algorithm that was made without a sampler one of its policy and environment."""
        policy, env = getattr(self._algo, "policy", None), self._env
        if policy is None or env is None or not hasattr(self._algo, "_sampler"):
            raise NotSetupError(
                f"obtain_episodes: {type(self._algo).__name__} has no sampler; make it with"
                " sampler=LocalSampler(policy, env), or set its attribute _sampler to one"
            )
        sampler: Sampler = LocalSampler(policy, env)
        self._algo._sampler = sampler  # type: ignore[union-attr]
        return sampler

    def __reduce__(self) -> Any:
        """Refuse to be pickled: an algorithm must not keep its trainer."""
        raise TypeError("a Trainer is not part of a run's state; do not store it on the algorithm")
