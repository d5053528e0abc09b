"""The architecture on one page: what an algorithm, policy, baseline, sampler and environment are.

    environment --- steps ---> sampler (workers) --- EpisodeBatch ---> algorithm
         ^                          |                                      |
         '------- actions ------- actor <---- weights as NumPy ---- policy and baseline

The Trainer drives the algorithm one epoch at a time and takes a snapshot of everything named here
at the end of each epoch. State lives in attributes of these objects, not in a closure, a module
global, or a local variable that outlives an epoch.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from garage_like.configuration.configured import Configured, Named
from garage_like.configuration.extension_points import ExtensionPoints

if TYPE_CHECKING:
    from pathlib import Path

    import gymnasium

    from garage_like.data.batches import EnvStep, EpisodeBatch
    from garage_like.data.env_spec import EnvSpec
    from garage_like.data.env_step import VectorStep


class RunHandle(Protocol):
    """What an algorithm may ask of the run that trains it: the trainer, seen from inside an epoch.

    Attributes:
        step_itr: garage's counter of train calls; algorithms that loop themselves advance it.
        step_episode: what the epoch collected, for `store_episodes`.
        enable_logging: whether the epoch's row is logged.
        total_env_steps: env steps of the run so far, over all resumes.
    """

    step_itr: int
    step_episode: Any
    enable_logging: bool
    total_env_steps: int

    def step_epochs(self) -> Iterator[int]:
        """Yield epoch after epoch; log and save when the loop's body is through with one."""

    def obtain_episodes(
        self,
        itr: int,
        batch_size: int | None = None,
        agent_update: Any = None,
        env_update: Any = None,
    ) -> EpisodeBatch:
        """Collect at least `batch_size` env steps with the current policy, and count them."""

    def obtain_samples(
        self,
        itr: int,
        batch_size: int | None = None,
        agent_update: Any = None,
        env_update: Any = None,
    ) -> list[dict[str, Any]]:
        """Collect env steps as `obtain_episodes` does; return a dict of arrays for each episode."""

    @property
    def env(self) -> Environment:
        """The environment itself; an algorithm that makes a sampler of its own trains in it."""

    @property
    def trained_envs(self) -> Sequence[Environment]:
        """The environments that are trained in: those of the sampler, or `env`."""

    def get_env_copy(self) -> Environment:
        """Return a copy of the environment, in the same state, that shares nothing with it."""

    def log_diagnostics(self, pause_for_plot: bool = False) -> None:
        """Record what every epoch's row has, and show the policy if `plot` was asked for."""

    @property
    def train_args(self) -> dict[str, Any]:
        """Arguments of the training that runs or was restored."""

    @property
    def cache_dir(self) -> Path | None:
        """Where to keep what can be made again: what was compiled, say; None if nothing is kept."""

    def own_values(self) -> dict[str, Any]:
        """Return what globals, classes and functions of the user's own modules hold, by a name.

        Of functions and classes themselves, what tells which they are.
        """


class RLAlgorithm(Named, ExtensionPoints, abc.ABC):
    """Turn env steps into a better policy.

    The framework's own algorithms implement `train_epoch`; `train` is the one loop. An algorithm
    of your own may do the same, or override `train` and loop over `trainer.step_epochs()`. One
    derived from the framework's own may override what is called there, and is refused when it is
    defined if it overrides what only garage calls.
    """

    policy: Any
    """What is trained: a `Policy`, and whatever else an algorithm asks of it."""

    @property
    def sampler(self) -> Sampler | None:
        """The sampler that `trainer.obtain_episodes` draws from: attribute `_sampler`, or none."""
        return getattr(self, "_sampler", None)

    def train(self, trainer: RunHandle) -> Any:
        """Run epochs until the trainer has had enough; return what the last epoch returned."""
        last = None
        for _ in trainer.step_epochs():
            last = self.train_epoch(trainer)
        return last

    def train_epoch(self, trainer: RunHandle) -> Any:
        """Collect, update and record metrics once; return the epoch's average return."""
        raise NotImplementedError(f"{type(self).__name__} must implement train_epoch or train")


class Actor(Protocol):
    """Act without a framework: weights as NumPy arrays, noise from the caller's generator."""

    def act(
        self, observations: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Choose actions.

        Args:
            observations: shape (N, *O).
            rng: the only source of randomness.

        Returns:
            actions, shape (N, *A) or (N,) if discrete, and agent infos, each of shape (N, ...).
            The caller keeps them: later calls must not write into them.
        """


class RecurrentActor(Actor, Protocol):
    """Act on what was seen of the episode before.

    The memory is the caller's: one row for each environment, zeros when its episode begins. So
    workers that share a policy do not mix their episodes up, and a snapshot in the middle of an
    episode has the memory of it.
    """

    memory_dim: int
    """Numbers to remember for each environment."""

    def remember(self, memory: np.ndarray) -> None:
        """Act on `memory`, shape (N, memory_dim), float32, from now on, and rewrite it in place."""

    def note(self, actions: np.ndarray) -> None:
        """Remember that these were taken instead of the actions that `act` chose."""


class Agent(Protocol):
    """Choose actions, one at a time: what any sampler can step an environment by."""

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (*O,)."""

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget the episode."""


class Policy(Protocol):
    """Map observations to actions."""

    @property
    def env_spec(self) -> EnvSpec:
        """The environment this policy was made for."""

    def get_action(self, observation: Any) -> tuple[Any, dict[str, Any]]:
        """Return one action and its agent infos for one observation of shape (*O,)."""

    def get_actions(self, observations: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return N actions and their agent infos for observations of shape (N, *O)."""

    def reset(self, do_resets: np.ndarray | None = None) -> None:
        """Forget the episode (recurrent policies); do_resets: shape (N,), which of N to forget.

        This is about what `get_actions` remembers; a RecurrentActor's memory is its caller's.
        """

    def actor(self) -> Actor | None:
        """Return a NumPy actor on the current weights, or None if this policy has none.

        The sampler asks again each time that it is asked for samples. A recurrent policy that
        several workers share must return a RecurrentActor.
        """

    def get_param_values(self) -> Any:
        """Return a copy of the weights that `set_param_values` of an equal policy takes."""

    def set_param_values(self, params: Any) -> None:
        """Replace the weights."""


class Baseline(Protocol):
    """Estimate how much return follows an observation."""

    def predict(self, episodes: EpisodeBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return values of observations, shape (S,), and of last_observations, shape (N,)."""

    def fit(self, episodes: EpisodeBatch, returns: np.ndarray) -> None:
        """Move towards returns, shape (S,), one for each env step of the batch."""


class Sampler(Configured, abc.ABC):
    """Collect env steps with the current policy."""

    total_env_steps: int

    @abc.abstractmethod
    def obtain_samples(
        self,
        itr: int,
        num_samples: int,
        agent_update: Any = None,
        env_update: Any = None,
    ) -> EpisodeBatch:
        """Collect at least `num_samples` env steps.

        Args:
            itr: the trainer's counter, for logs.
            num_samples: env steps wanted; workers finish what they have begun.
            agent_update: a policy, or what its `set_param_values` takes; None keeps the weights.
            env_update: an environment, or a callable that changes the worker's; None keeps it.
        """

    @property
    def envs(self) -> Sequence[Environment]:
        """The environments that are stepped, as far as collecting has begun and is done here."""
        return ()

    @abc.abstractmethod
    def obtain_exact_episodes(
        self, n_eps_per_worker: int, agent_update: Any = None, env_update: Any = None
    ) -> EpisodeBatch:
        """Collect exactly `n_eps_per_worker` whole episodes from each worker."""

    def start_worker(self) -> None:
        """Start what collecting needs (processes, say); called before the first epoch."""

    def shutdown_worker(self) -> None:
        """Stop what `start_worker` started; called after the last epoch."""


class ReplayMemory(Protocol):
    """Hold transitions for later; a snapshot or a restore may leave them out."""

    def without_transitions(self) -> ReplayMemory:
        """Return a copy that holds none, as after `clear`; leave this one as it is."""

    def clear(self) -> None:
        """Forget all transitions."""


class VectorEnvironment(abc.ABC):
    """Step N environments at once; where an episode ends, the next one begins by itself.

    Attributes:
        n_envs: N.
        needs_reset: whether the next call must be `reset`.
        needs_seeds: whether no generator was ever seeded.
        idles: whether the step after an episode's end only begins the next one: its action is not
            used, and there is nothing to learn from it.
    """

    n_envs: int
    needs_reset: bool
    needs_seeds: bool
    idles: bool

    @property
    @abc.abstractmethod
    def action_space(self) -> gymnasium.Space:
        """The space of N actions at once."""

    @abc.abstractmethod
    def reset(self, seeds: Sequence[int] | None = None) -> np.ndarray:
        """Begin an episode everywhere; return observations of shape (N, O*).

        Args:
            seeds: one for each environment; one generator for all takes the first. None lets
                generators run on.
        """

    @abc.abstractmethod
    def step(self, actions: np.ndarray) -> VectorStep:
        """Take one step in each environment."""

    @abc.abstractmethod
    def as_new(self) -> dict[str, Any]:
        """Return the state of one like it that is yet to be made, seeded and reset."""

    def tell(self) -> None:
        """Let the environment that this was made of know what was learned; after each batch."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release what the environments hold."""


class Environment(Configured, abc.ABC):
    """What an agent acts in; termination and truncation are told apart by the step type.

    Attributes:
        needs_reset: whether the next call must be `reset`. A restore sets it on an environment
            that it could only rebuild, not continue; workers then begin a new episode.
        n_envs: how many environments it stands for; more than 1 only for vector environments.
    """

    needs_reset: bool = True
    n_envs: int = 1

    @property
    @abc.abstractmethod
    def spec(self) -> EnvSpec:
        """Both spaces and the longest episode."""

    @property
    def action_space(self) -> gymnasium.Space:
        """The space of actions."""
        return self.spec.action_space

    @property
    def observation_space(self) -> gymnasium.Space:
        """The space of observations."""
        return self.spec.observation_space

    @abc.abstractmethod
    def reset(self, *, seed: int | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; return the first observation and the episode infos.

        Args:
            seed: if given, seeds the environment's generator and its spaces.
        """

    @abc.abstractmethod
    def step(self, action: Any) -> EnvStep:
        """Take one env step."""

    def vector_form(self, n_envs: int, max_episode_length: int | None) -> VectorEnvironment | None:
        """Return what steps N environments like this one at once; None if nothing does.

        Args:
            n_envs: N.
            max_episode_length: env steps after which an episode is cut off (TIMEOUT).
        """
        return None

    @property
    def render_modes(self) -> list[str]:
        """What `render` takes."""
        return []

    def render(self, mode: str = "rgb_array") -> Any:
        """Return a picture of the current state."""
        raise NotImplementedError(f"{type(self).__name__} cannot render")

    def visualize(self) -> None:
        """Show the episode in a window while it runs."""
        raise NotImplementedError(f"{type(self).__name__} has no window to show")

    def close(self) -> None:
        """Release what the environment holds."""


Metrics = Mapping[str, float]
