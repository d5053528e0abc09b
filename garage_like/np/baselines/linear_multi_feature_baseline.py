"""LinearMultiFeatureBaseline: values by ridge regression on several arrays of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from garage_like.configuration.garage_arguments import also_called
from garage_like.data.batches import EpisodeBatch
from garage_like.data.env_spec import EnvSpec
from garage_like.np.baselines.linear_feature_baseline import LinearFeatureBaseline
from garage_like.np.observations import flatten_observations

_CLIP = 10.0


class LinearMultiFeatureBaseline(LinearFeatureBaseline):
    """Predict returns from f and f^2 of several features f, and 1, refitted to each batch.

    Duan et al. 2016, arXiv:1604.06778, appendix 2, without time. Before the first fit all is worth
    nothing. What follows an episode's last step is valued with that step's infos.

    Args:
        env_spec: of the environment whose observations are valued.
        features: 'observations', or names of agent or env infos, such as 'latent' or 'latents';
            None for observations alone.
        reg_coeff: weight of the ridge, for numbers that are barely determined.

    Raises:
        ValueError: if reg_coeff is negative.
    """

    def __init__(
        self,
        env_spec: EnvSpec,
        features: Sequence[str] | None = None,
        reg_coeff: float = 1e-5,
        name: str | None = None,
    ) -> None:
        super().__init__(env_spec, reg_coeff)
        self._feature_names = list(features or ["observations"])
        self._coefficients = np.zeros(0)  # how many there are the first batch tells

    @also_called(params="flattened_params")
    def set_param_values(self, params: np.ndarray) -> None:
        """Replace the coefficients.

        Raises:
            ValueError: if there have been others, and their number was another one.
        """
        if not len(self._coefficients):
            self._coefficients = np.zeros(len(params))
        super().set_param_values(params)

    def _of_steps(self, episodes: EpisodeBatch) -> np.ndarray:
        return self._made_of(episodes, episodes.observations, slice(None))

    def _of_last(self, episodes: EpisodeBatch) -> np.ndarray:
        return self._made_of(episodes, episodes.last_observations, episodes.ends - 1)

    def _made_of(
        self, episodes: EpisodeBatch, observations: np.ndarray, rows: slice | np.ndarray
    ) -> np.ndarray:
        seen = flatten_observations(self._env_spec.observation_space, observations)
        parts = []
        for name in self._feature_names:
            is_seen = name.removesuffix("s") == "observation"
            found = seen if is_seen else _info(episodes, name)[rows]
            clipped = np.clip(found.reshape(len(seen), -1).astype(np.float64), -_CLIP, _CLIP)
            parts += [clipped, clipped**2]
        return np.hstack([*parts, np.ones((len(seen), 1))])


def _info(episodes: EpisodeBatch, name: str) -> np.ndarray:
    """Find an array of S rows by its name, or by garage's, which has an s behind it."""
    rooms = (episodes.agent_infos, episodes.env_infos)
    for key in (name, name.removesuffix("s")):
        for infos in rooms:
            if isinstance(infos.get(key), np.ndarray):
                found: np.ndarray = infos[key]
                return found
    known = sorted({key for infos in rooms for key in infos})
    raise ValueError(
        f"LinearMultiFeatureBaseline: there is no {name!r}; features are 'observations' and "
        f"{', '.join(known) or 'no infos'}"
    )
